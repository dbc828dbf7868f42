// Stands in for @std/async where JSR cannot be reached: the functions that this project uses, over node:timers/promises.
// scripts/std.ts puts it into node_modules. It is JavaScript, as Node strips no types there.

import { setTimeout as sleep } from "node:timers/promises";

export async function delay(ms, { signal } = {}) {
  signal?.throwIfAborted();
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

export async function abortable(promise, signal) {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

export async function deadline(promise, ms, { signal } = {}) {
  const late = AbortSignal.timeout(ms);
  return await abortable(promise, signal ? AbortSignal.any([late, signal]) : late);
}
