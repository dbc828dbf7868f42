// A thread's side of the line on Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { ToWorker } from "../wire/messages.ts";
import { enterPlace, WORKER_ARGUMENT } from "../wire/place.ts";
import { open, seal } from "../wire/seal.ts";
import { cloneForThread, endAsUnreadable, toThread } from "../wire/sendable.ts";
import type { Side } from "../worker/main.ts";

/** What the loop runs on. */
export const side: Side = {
  place: enterPlace(),
  open(onMessage) {
    // It is for what runs before: a program that reads its arguments is not to find it.
    if (process.argv.at(-1) === WORKER_ARGUMENT) process.argv.pop();
    const port = parentPort!;
    // Not addEventListener(): Node (24) loads the class of its events first, which takes 20 ms of the processor's time.
    port.on("message", (received) => {
      const message = open(received) as ToWorker | undefined;
      if (message === undefined) return;
      if (message.kind === "stop") process.exit(); // which sends all that was printed
      else onMessage(message);
    });
    port.on("messageerror", endAsUnreadable);
    // A task has closed the line, and nobody can reach this worker any more.
    port.on("close", () => process.exit());
    // The port's as it is now: a task may put another in its place.
    const { postMessage } = port;
    // What the parent cannot read, its channel says.
    return { send: toThread((message, transfer) => postMessage.call(port, seal(message), transfer as never), false) };
  },
  clone: cloneForThread,
  excuse: (error) =>
    void process.on("unhandledRejection", (reason) => {
      if (reason !== error) throw reason;
    }),
  memory: () => process.memoryUsage().heapUsed,
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};
