// Waits for what has to come, with a limit for what hangs. It is generous: the machine may be busy with other things.

import { delay } from "@std/async";

/** The limit, in milliseconds. What works takes a small part of it. */
export const PATIENCE = 180_000;

/** Resolves as a promise does; rejects when that hangs. */
export async function intime<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = new AbortController();
  const limit = delay(PATIENCE, { signal: late.signal }).then(() => Promise.reject(new Error(`${what} hangs`)));
  limit.catch(() => {});
  try {
    return await Promise.race([promise, limit]);
  } finally {
    late.abort();
  }
}
