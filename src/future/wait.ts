// wait(): one watcher for all the futures of a call, so that its time is linear in their number.

import { checkNumber, checkOptions, checkSignal, optionNames } from "../wire/check.ts";
import { type Future, hasFailed, unwatchFuture, type Watcher, watchFuture } from "./future.ts";
import { futureSet } from "./future_set.ts";
import { type Abortable, unwatchSignal, watchSignal } from "./signal.ts";
import { startTimer, type Timer } from "./timer.ts";

/** {@linkcode wait} returns as soon as any future is done. */
export const FIRST_COMPLETED = "FIRST_COMPLETED" as const;
/** {@linkcode wait} returns as soon as any future fails, or all are done. */
export const FIRST_EXCEPTION = "FIRST_EXCEPTION" as const;
/** {@linkcode wait} returns when all futures are done. */
export const ALL_COMPLETED = "ALL_COMPLETED" as const;

/** When {@linkcode wait} returns. */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

/** Options of {@linkcode wait}. */
export interface WaitOptions {
  /**
   * Time in milliseconds to wait at most; 0 or less looks once. That it is over is no error: see `notDone`.
   *
   * @default Infinity
   */
  timeout?: number | undefined;
  /**
   * What to wait for: {@linkcode ALL_COMPLETED}, {@linkcode FIRST_COMPLETED} or {@linkcode FIRST_EXCEPTION}.
   *
   * @default ALL_COMPLETED
   */
  returnWhen?: ReturnWhen | undefined;
  /**
   * Ends the waiting when it aborts: the promise rejects with its reason. No call is cancelled.
   *
   * @default none
   */
  signal?: AbortSignal | undefined;
}

const WAIT_OPTIONS = optionNames<WaitOptions>({ timeout: true, returnWhen: true, signal: true });

/**
 * The two sets that {@linkcode wait} returns; together they are its input.
 *
 * @typeParam F The type of the futures.
 */
export interface WaitResult<F> {
  /** The futures that are done: fulfilled, rejected or cancelled. */
  readonly done: Set<F>;
  /** The futures that are not done. */
  readonly notDone: Set<F>;
}

/**
 * Waits for futures, which may be of different executors. It is no error when the time is over.
 *
 * @param futures The futures. One that is given twice counts once.
 * @param options What to wait for, for how long, and a signal that ends the waiting.
 * @returns The futures that are done, and those that are not.
 * @throws {TypeError} when `futures` is not an iterable of futures, or an option is unknown or of the wrong type.
 * @throws {RangeError} when `returnWhen` is none of the three constants, or `timeout` is NaN.
 * @throws (rejects) the reason of `signal`, when it aborts.
 *
 * @example Waiting for the first of two
 * ```ts
 * import { FIRST_COMPLETED, Future, wait } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * const [a, b] = [new Future<number>(), new Future<number>()];
 * a.setResult(1);
 * const { done, notDone } = await wait([a, b], { returnWhen: FIRST_COMPLETED });
 * assert.deepEqual([[...done], [...notDone]], [[a], [b]]);
 * ```
 */
// Not async: a wrong argument throws at the call.
export function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options: WaitOptions = {},
): Promise<WaitResult<F>> {
  checkOptions("wait for futures", options, WAIT_OPTIONS);
  const { timeout = Infinity, returnWhen = ALL_COMPLETED, signal } = options;
  const all = futureSet("wait for futures", futures);
  checkNumber("wait for futures", "timeout", timeout);
  checkSignal("wait for futures", "signal", signal);
  if (returnWhen !== ALL_COMPLETED && returnWhen !== FIRST_COMPLETED && returnWhen !== FIRST_EXCEPTION) {
    throw new RangeError(`Invalid return condition: ${String(returnWhen)}`);
  }
  if (signal?.aborted) return Promise.reject(signal.reason);
  let pending = 0;
  let met = false;
  for (const future of all) {
    if (!future.done()) pending++;
    else if (returnWhen === FIRST_COMPLETED || (returnWhen === FIRST_EXCEPTION && hasFailed(future))) met = true;
  }
  const split = (): WaitResult<F> => {
    const notDone = new Set<F>();
    if (pending > 0) { for (const future of all) if (!future.done()) notDone.add(future); }
    for (const future of notDone) all.delete(future);
    return { done: all, notDone };
  };
  if (met || pending === 0 || timeout <= 0) return Promise.resolve(split());
  return new Promise((resolve, reject) => {
    const detach = () => {
      timer.clear();
      if (pending > 0) { for (const future of all) unwatchFuture(future, watcher); }
      if (signal) unwatchSignal(signal, stop);
    };
    const finish = () => {
      detach();
      // Later in this turn, so that what ends together with the awaited one is done too (W6).
      queueMicrotask(() => resolve(split()));
    };
    const watcher: Watcher = (future) => {
      pending--;
      if (pending === 0 || returnWhen === FIRST_COMPLETED) finish();
      else if (returnWhen === FIRST_EXCEPTION && hasFailed(future)) finish();
    };
    const stop: Abortable = {
      abort(reason) {
        detach();
        reject(reason);
      },
    };
    const timer: Timer = startTimer(timeout, finish);
    if (signal) watchSignal(signal, stop);
    for (const future of all) if (!future.done()) watchFuture(future, watcher);
  });
}
