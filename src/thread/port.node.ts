// The worker's end of the line in a thread of Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { ParentPort } from "../wire/channel.ts";
import type { ToWorker } from "../wire/messages.ts";
import { enterPlace, WORKER_ARGUMENT } from "../wire/place.ts";
import { open, seal } from "../wire/seal.ts";
import { cloneForThread, endAsUnreadable, toThread } from "../wire/sendable.ts";

const line = parentPort!;
// The line's own method, taken before a task can replace it.
const { postMessage } = line;

/** What the loop runs on. */
export const port: ParentPort = {
  place: enterPlace(),
  receive(onMessage) {
    // Only code that runs before the loop needs it: a task must not find it among the program's arguments.
    if (process.argv.at(-1) === WORKER_ARGUMENT) process.argv.pop();
    // Not addEventListener(): Node (24) loads the class of its events first, which takes 20 ms of the processor's time.
    line.on("message", (received) => {
      const message = open(received) as ToWorker | undefined;
      if (message === undefined) return;
      if (message.kind === "stop") process.exit(); // which sends all that was printed
      else onMessage(message);
    });
    line.on("messageerror", endAsUnreadable);
    // A task has closed the line, so the parent can no longer reach this worker.
    line.on("close", () => process.exit());
  },
  // The parent's channel reports what it cannot read.
  send: toThread((message, transfer) => postMessage.call(line, seal(message), transfer as never), false),
  clone: cloneForThread,
  excuse: (error) =>
    void process.on("unhandledRejection", (reason) => {
      if (reason !== error) throw reason;
    }),
  memory: () => process.memoryUsage().heapUsed,
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};
