// The worker's end of the line in a thread of Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { ParentPort } from "../wire/channel.ts";
import type { FromWorker } from "../wire/messages.ts";
import { enterPlace, WORKER_ARGUMENT } from "../wire/place.ts";
import { seal } from "../wire/seal.ts";
import { cloneForThread, endAsUnreadable, toThread } from "../wire/sendable.ts";
import type { Wire } from "./line.ts";
import { WorkerLine } from "./line_worker.ts";

const parent = parentPort!;
const line = new WorkerLine(wireOver(parent), wireOver as never);

function wireOver(port: typeof parent): Wire<FromWorker> {
  // The port's own method, taken before a task can replace it.
  const { postMessage } = port;
  return {
    // The parent's channel reports what it cannot read.
    post: toThread((message, transfer) => postMessage.call(port, seal(message), transfer as never), false),
    wake: (message) => postMessage.call(port, message),
  };
}

/** What the loop runs on. */
export const port: ParentPort = {
  place: enterPlace(),
  receive(onMessage, onStop) {
    // Only code that runs before the loop needs it: a task must not find it among the program's arguments.
    if (process.argv.at(-1) === WORKER_ARGUMENT) process.argv.pop();
    line.receive((message) => {
      if (message.kind !== "stop") return onMessage(message);
      const leave = () => process.exit(); // which sends all that was printed
      const last = onStop();
      if (last) void last.then(leave);
      else leave();
    });
    // Not addEventListener(): Node (24) loads the class of its events first, which takes 20 ms of the processor's time.
    parent.on("message", (received) => line.take(received));
    parent.on("messageerror", endAsUnreadable);
    // A task has closed the line, so the parent can no longer reach this worker.
    parent.on("close", () => process.exit());
  },
  send: (message, transfer) => line.send(message, transfer),
  attend: () => line.attend(),
  look: () => line.look(),
  clone: cloneForThread,
  excuse: (error) =>
    void process.on("unhandledRejection", (reason) => {
      if (reason !== error) throw reason;
    }),
  memory: () => process.memoryUsage().heapUsed,
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};
