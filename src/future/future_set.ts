// The futures that wait() and asCompleted() are given.

import { show } from "../wire/check.ts";
import { Future } from "./future.ts";

/**
 * The futures of an iterable, each once.
 *
 * @param action What cannot be done otherwise, for the message.
 * @param futures What the caller gave.
 * @throws {TypeError} when it is not an iterable of futures.
 */
export function futureSet<F extends Future<unknown>>(action: string, futures: Iterable<F>): Set<F> {
  if (typeof (futures as Iterable<F> | undefined)?.[Symbol.iterator] !== "function") {
    throw new TypeError(`Cannot ${action} as 'futures' must be an iterable of futures: received ${show(futures)}`);
  }
  const set = new Set(futures);
  for (const future of set) {
    if (!(future instanceof Future)) {
      throw new TypeError(`Cannot ${action} as 'futures' must hold futures only: received ${show(future)}`);
    }
  }
  return set;
}
