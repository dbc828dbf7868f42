// A thread's side of the line on Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { cloneForThread, endAsUnreadable, toThread } from "../wire/sendable.ts";
import type { Side } from "../worker/main.ts";

/** What the loop runs on. */
export const side: Side = {
  open(onMessage) {
    parentPort!.on("message", onMessage);
    parentPort!.on("messageerror", endAsUnreadable);
    // What the parent cannot read, its channel says.
    return { send: toThread((message, transfer) => parentPort!.postMessage(message, transfer as never), false) };
  },
  clone: cloneForThread,
  memory: () => process.memoryUsage().heapUsed,
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};
