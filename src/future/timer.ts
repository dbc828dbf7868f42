// Timers for time limits.

import { unrefTimer } from "../runtime.ts";
import { blockingHere, type DueTimer } from "../wire/blocking.ts";

/** A timer that can be cleared. */
export interface Timer {
  /** Clears it; does nothing when it has fired. */
  clear(): void;
}

/** What setTimeout can count to, in milliseconds; beyond, it fires at once (L2). */
export const LONGEST_TIMER = 2 ** 31 - 1;

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
  // A blocking wait fires it, too.
  const blocking = blockingHere();
  let due: DueTimer | undefined;
  const arm = () => {
    const left = deadline - performance.now();
    if (left > LONGEST_TIMER) id = setTimeout(arm, LONGEST_TIMER);
    else id = setTimeout(due ? due.fire : fn, Math.max(left, 0));
    if (!alive) unrefTimer(id);
  };
  const clear = () => {
    clearTimeout(id);
    if (due) blocking!.timers.delete(due);
  };
  if (blocking && ms !== Infinity) {
    const fire = () => {
      clear();
      fn();
    };
    blocking.addTimer(due = { deadline, fire });
  }
  if (ms !== Infinity) arm();
  return { clear };
}
