// A thread's side of the line on Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { ToWorker } from "../wire/messages.ts";
import { enterPlace, WORKER_ARGUMENT } from "../wire/place.ts";
import { open, seal } from "../wire/seal.ts";
import type { Side } from "../worker/main.ts";

/** What the loop runs on. */
export const side: Side = {
  place: enterPlace(),
  open(onMessage) {
    // It is for what runs before: a program that reads its arguments is not to find it.
    if (process.argv.at(-1) === WORKER_ARGUMENT) process.argv.pop();
    const port = parentPort!;
    port.addEventListener("message", (event) => {
      const message = open((event as MessageEvent).data) as ToWorker | undefined;
      if (message === undefined) return;
      event.stopImmediatePropagation(); // it is not for listeners of the tasks
      onMessage(message);
    });
    // The port's as it is now: a task may put another in its place.
    const { postMessage } = port;
    return { send: (message, transfer) => postMessage.call(port, seal(message), transfer as never) };
  },
  clone: structuredClone,
  excuse: (error) =>
    void process.on("unhandledRejection", (reason) => {
      if (reason !== error) throw reason;
    }),
  memory: () => process.memoryUsage().heapUsed,
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};
