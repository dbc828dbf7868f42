// A thread's end of the line on Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { Open } from "../wire/channel.ts";

/** Opens the line. */
export const open: Open = (onMessage) => {
  parentPort!.on("message", onMessage);
  return { send: (message, transfer) => parentPort!.postMessage(message, transfer as never) };
};

/** Calls `fn` when the thread is about to end by its own will. */
export function beforeEnd(fn: (exitCode: number) => void): void {
  process.on("exit", fn);
}
