// Waits for what a test can observe, with a time limit.

import { abortable, delay } from "@std/async";
import "./invariants.ts";

/** The time limit of a wait and of a test, in milliseconds. Whatever works takes a small part of it. */
export const CEILING = 30_000;

/** Resolves when `condition` holds; rejects when it does not hold in time. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + CEILING;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await delay(5);
  }
}

/** Resolves as `promise` does; rejects when that takes too long. */
export async function within<T>(what: string, promise: PromiseLike<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`${what} did not end within ${CEILING / 1000} s`)), CEILING);
  try {
    return await abortable(Promise.resolve(promise), late.signal);
  } finally {
    clearTimeout(timer);
  }
}
