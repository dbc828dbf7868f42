// A thread's side of the line on Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { Side } from "../worker/main.ts";

/** What the loop runs on. */
export const side: Side = {
  open(onMessage) {
    parentPort!.on("message", onMessage);
    return { send: (message, transfer) => parentPort!.postMessage(message, transfer as never) };
  },
  clone: structuredClone,
  memory: () => process.memoryUsage().heapUsed,
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};
