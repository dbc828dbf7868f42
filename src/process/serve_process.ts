// A worker process's end of the line: the IPC channel that the parent has spawned it with.

import process from "node:process";
import { setTimeout } from "node:timers";
import type { ToWorker } from "../wire/messages.ts";
import { serve } from "../worker/main.ts";
import { assertAllCloneable, assertCloneable } from "./cloneable.ts";

/** How long an idle worker process may wait for what its tasks have left behind, in milliseconds. */
const LINGER = 500;

/** Serves the parent from a process. */
export function serveProcess(): void {
  const { end } = serve({
    open(onMessage) {
      process.on("message", (message: ToWorker) => {
        if (message.kind !== "stop") return onMessage(message);
        process.disconnect();
        leave();
      });
      return {
        send(message) {
          if (message.kind === undefined) assertAllCloneable(message);
          else if (message.kind === "done") assertAllCloneable(message.results);
          process.send!(message);
        },
      };
    },
    clone(value) {
      assertCloneable(value);
      return value;
    },
    memory: () => process.memoryUsage.rss(),
  });
  // Ctrl-C goes to every process of the terminal: the parent decides what it means.
  process.on("SIGINT", () => {});
  // A send to a parent that is gone; `disconnect` follows.
  process.on("error", () => {});
  process.on("exit", end);
  process.on("disconnect", leave); // the parent has ended
}

/** Ends by itself when nothing is left to do, or soon. */
function leave(): void {
  setTimeout(() => process.exit(), LINGER).unref();
}
