// Starts a thread on Node, and is the parent's end of its line.

import { Worker } from "node:worker_threads";
import type { Backend } from "../executor/backend.ts";
import { CALLS_PER_WORKER } from "../wire/claims.ts";
import type { FromWorker } from "../wire/messages.ts";
import { WORKER_ARGUMENT } from "../wire/place.ts";
import { open, seal } from "../wire/seal.ts";

/** The heap's limit is so much higher: a worker that grows call by call retires between two of them, and loses none. */
const HEADROOM = 1.25;

/** Starts a thread. */
export const start: Backend["start"] = (name, { memoryLimit }, events) => {
  const worker = new Worker(new URL("./entry.node.js", import.meta.url), {
    name,
    argv: [WORKER_ARGUMENT],
    ...(memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit * HEADROOM } }),
  });
  let error: unknown;
  worker.on("message", (received) => {
    const message = open(received) as FromWorker | undefined;
    if (message !== undefined) events.onMessage(message);
  });
  worker.on("messageerror", (thrown) => {
    error = thrown;
    worker.terminate();
  });
  worker.on("error", (thrown) => error = thrown);
  worker.on("exit", (exitCode) => events.onClose({ exitCode, error }));
  return {
    claims: new SharedArrayBuffer(CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT),
    send: (message, transfer) => worker.postMessage(seal(message), transfer as never),
    keepAlive: (alive) => alive ? worker.ref() : worker.unref(),
    stop: () => worker.terminate(),
    terminate: () => worker.terminate(),
    kill: () => worker.terminate(),
  };
};
