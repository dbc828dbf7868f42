// Timers for time limits.

import { unrefTimer } from "../runtime.ts";

/** A timer that can be cleared. */
export interface Timer {
  /** Clears it; does nothing when it has fired. */
  clear(): void;
}

/** What setTimeout can count to; beyond, it fires at once (L2). */
const LONGEST = 2 ** 31 - 1;

/**
 * Calls `fn` after `ms`; never, when `ms` is Infinity.
 *
 * @param ms Milliseconds, any length.
 * @param fn What to call.
 * @param alive Whether the timer keeps the program alive.
 * @returns The timer.
 */
export function startTimer(ms: number, fn: () => void, alive = true): Timer {
  const deadline = performance.now() + ms;
  let id: ReturnType<typeof setTimeout> | undefined;
  const arm = () => {
    const left = deadline - performance.now();
    if (left > LONGEST) id = setTimeout(arm, LONGEST);
    else id = setTimeout(fn, Math.max(left, 0));
    if (!alive) unrefTimer(id);
  };
  if (ms !== Infinity) arm();
  return { clear: () => clearTimeout(id) };
}

/**
 * Checks a time limit that a caller gave.
 *
 * @param action What cannot be done otherwise, for the message.
 * @param timeout Milliseconds; `undefined` is no limit.
 * @returns The limit, Infinity for none.
 * @throws {TypeError} when it is not a number.
 * @throws {RangeError} when it is NaN.
 */
export function timeLimit(action: string, timeout: number | undefined): number {
  if (timeout === undefined) return Infinity;
  if (typeof timeout !== "number") {
    throw new TypeError(`Cannot ${action} as 'timeout' must be a number of milliseconds: received ${typeof timeout}`);
  }
  if (Number.isNaN(timeout)) throw new RangeError(`Cannot ${action} as 'timeout' must be a number: received NaN`);
  return timeout;
}
