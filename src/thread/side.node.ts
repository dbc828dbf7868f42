// A thread's side of the line on Node: the port to the parent.

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { ToWorker } from "../wire/messages.ts";
import { open, seal } from "../wire/seal.ts";
import type { Side } from "../worker/main.ts";

/** What the loop runs on. */
export const side: Side = {
  open(onMessage) {
    const port = parentPort!;
    port.addEventListener("message", (event) => {
      const message = open((event as MessageEvent).data) as ToWorker | undefined;
      if (message === undefined) return;
      event.stopImmediatePropagation(); // it is not for listeners of the tasks
      if (message.kind === "stop") process.exit(); // which sends all that was printed
      else onMessage(message);
    });
    // A task has closed the line, and nobody can reach this worker any more.
    port.on("close", () => process.exit());
    // The port's as it is now: a task may put another in its place.
    const { postMessage } = port;
    return { send: (message, transfer) => postMessage.call(port, seal(message), transfer as never) };
  },
  clone: structuredClone,
  memory: () => process.memoryUsage().heapUsed,
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};
