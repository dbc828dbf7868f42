// Starts threads from a file of the user's own.

import { assertWorker, type OwnWorker } from "../pool/own_worker.ts";
import { loadBuiltin, runtime } from "../runtime.ts";
import { OWN_THREAD } from "../wire/place.ts";

/**
 * Starts a thread from a file of the user's own.
 *
 * @param start The option `worker`.
 * @param WorkerClass What it has to return.
 */
export function startOwn<T extends object>(start: () => OwnWorker, WorkerClass: new (...args: never[]) => T): T {
  if (runtime === "node") return assertWorker(withNote(start), WorkerClass, " of node:worker_threads");
  return assertWorker(runtime === "bun" ? withNote(start) : start(), WorkerClass, "");
}

/** Leaves a note for the thread, which has no other way to know at once who has started it. */
function withNote(start: () => OwnWorker): OwnWorker {
  const { setEnvironmentData } = loadBuiltin<typeof import("node:worker_threads")>("node:worker_threads");
  setEnvironmentData(OWN_THREAD, true);
  try {
    return start();
  } finally {
    setEnvironmentData(OWN_THREAD, undefined);
  }
}
