// Starts a thread on Node, and is the parent's end of its line.

import { isMainThread, Worker } from "node:worker_threads";
import type { Backend } from "../executor/backend.ts";
import { CALLS_PER_WORKER } from "../wire/claims.ts";
import { cloneForThread, toThread } from "../wire/sendable.ts";

/** The heap's limit is so much higher: a worker that grows call by call retires between two of them, and loses none. */
const HEADROOM = 1.25;

/** Starts a thread. */
export const start: Backend["start"] = (name, { memoryLimit }, events) => {
  const worker = new Worker(new URL("./entry.node.js", import.meta.url), {
    name,
    ...(memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit * HEADROOM } }),
  });
  let error: unknown;
  worker.on("message", (message) => events.onMessage(message));
  worker.on("messageerror", () => events.onMessage({ kind: "unread" }));
  worker.on("error", (thrown) => error = thrown);
  worker.on("exit", (exitCode) => events.onClose({ exitCode, error }));
  return {
    claims: new SharedArrayBuffer(CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT),
    // A thread reads all that the main thread can write: its stack is larger, unless Node was told otherwise.
    send: toThread((message, transfer) => worker.postMessage(message, transfer as never), !isMainThread),
    clone: cloneForThread,
    keepAlive: (alive) => alive ? worker.ref() : worker.unref(),
    stop: () => worker.terminate(),
    terminate: () => worker.terminate(),
    kill: () => worker.terminate(),
  };
};
