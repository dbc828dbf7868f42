// The loop of a blocking wait: it does what the event loop would do for the executors of this thread, and sleeps in between.

import { runtime } from "../runtime.ts";
import { Habit } from "../thread/line.ts";
import type { Bell } from "../wire/bell.ts";
import { blockingHere, wantBlocking } from "../wire/blocking.ts";

/** The longest sleep, in milliseconds: a thread of Node that dies does not ring. */
const LONGEST_SLEEP = 50;

/** The longest sleep while a worker is about to end, in milliseconds. */
const SHORT_SLEEP = 1;

/** How long it looks for something to come before it sleeps, in milliseconds: to wake up takes about as long. */
const LOOK = 0.02;

/** How many times it does not look at most, when looks do not pay: on one core, they keep the worker from answering. */
const RARELY = 256;

const looks = new Habit(RARELY);

// In a browser, workers are heard by its event loop alone, with or without this module.
if (runtime !== "browser") wantBlocking();

/**
 * Throws what says why something cannot be waited for.
 *
 * @param action What was asked for.
 * @param reason Why it cannot be; `undefined` if it can.
 */
export function assertBlocks(action: string, reason: string | undefined): void {
  const why = runtime === "browser" ? "a browser cannot receive anything without its event loop" : reason;
  if (why !== undefined) throw new Error(`Cannot ${action} as ${why}`);
}

/** Looks for a moment whether the bell rings. */
function isRung(bell: Bell, rings: number): boolean {
  if (!looks.isWorthwhile()) return bell.rings !== rings;
  const end = performance.now() + LOOK;
  do {
    for (let i = 0; i < 32; i++) {
      if (bell.rings === rings) continue;
      looks.paid();
      return true;
    }
  } while (performance.now() < end);
  looks.missed();
  return false;
}

/**
 * Blocks until `isDone`, or `timeout` milliseconds have passed. Whatever that, it looks once.
 *
 * @returns Whether it is done.
 */
export function block(isDone: () => boolean, timeout: number): boolean {
  if (isDone()) return true;
  const blocking = blockingHere()!, deadline = performance.now() + timeout;
  const { bell } = blocking;
  blocking.depth++;
  try {
    for (;;) {
      const rings = bell.rings;
      const found = blocking.advance();
      if (isDone()) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      if (found) continue;
      if (isRung(bell, rings)) continue;
      const most = blocking.hasEnding ? SHORT_SLEEP : LONGEST_SLEEP;
      bell.sleep(rings, Math.max(0, Math.min(left, most, blocking.idleFor)));
    }
  } finally {
    blocking.depth--;
  }
}
