// A worker process's side of the line: the IPC channel that the parent has spawned it with.

import process from "node:process";
import type { ToWorker } from "../wire/messages.ts";
import type { Side } from "../worker/main.ts";
import { refusing } from "../wire/sendable.ts";
import { cloneForProcess } from "./cloneable.ts";
import { pack, unpack } from "./pack.ts";

/** How long an idle worker process may wait for what its tasks have left behind, in milliseconds. */
const LINGER = 500;

/** What the loop runs on. */
export const side: Side = {
  open(onMessage) {
    process.on("message", (received) => {
      const message = unpack(received) as ToWorker;
      if (message.kind !== "stop") return onMessage(message);
      process.disconnect();
      leave();
    });
    // Ctrl-C goes to every process of the terminal: the parent decides what it means.
    process.on("SIGINT", () => {});
    // A send to a parent that is gone; `disconnect` follows.
    process.on("error", () => {});
    process.on("disconnect", leave); // the parent has ended
    return { send: (message) => refusing(() => process.send!(pack(message))) };
  },
  clone: cloneForProcess,
  memory: () => process.memoryUsage.rss(),
  beforeEnd: (fn) => process.on("exit", (exitCode) => fn(exitCode)),
};

/** Ends by itself when nothing is left to do, or soon. */
async function leave(): Promise<void> {
  const { setTimeout } = await import("node:timers"); // not before: on Bun (1.4) it takes 0.4 ms of the start
  setTimeout(() => process.exit(), LINGER).unref();
}
