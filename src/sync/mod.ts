/**
 * Waiting without the event loop, for code that cannot be `async`: a plugin, a configuration, a getter. Import this before
 * executors start workers.
 *
 * While a function of this module blocks, the executors of this thread work on: calls are handed over, workers start and are
 * replaced, time limits hold, done callbacks run. Nothing else of the program does: no promise, no timer, no other I/O.
 *
 * @example A result in synchronous code
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import { resultSync } from "@concurrent/futures/sync";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * const square = (n: number) => resultSync(executor.submit((n: number) => n * n, n));
 * assert.equal(square(12), 144);
 * ```
 *
 * @module
 */

import { Future, hasFailed, lateError, refusalOf, unwatchFuture, type Watcher, watchFuture } from "../future/future.ts";
import { futureSet } from "../future/future_set.ts";
import {
  ALL_COMPLETED,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  type ReturnWhen,
  type WaitOptions,
  type WaitResult,
} from "../future/wait.ts";
import { TAKE, type Takeable } from "../wire/blocking.ts";
import { checkNumber, checkOptions, optionNames, refuse } from "../wire/check.ts";
import { assertBlocks, block } from "./block.ts";

/** Options of {@linkcode waitSync}: those of `wait()`, without `signal`, as nothing can abort one while this thread blocks. */
export interface WaitSyncOptions extends Omit<WaitOptions, "signal"> {}

export { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, type ReturnWhen, type WaitResult };

const WAIT_OPTIONS = optionNames<WaitSyncOptions>({ timeout: true, returnWhen: true });

/**
 * Blocks until a Future is done, and returns its result.
 *
 * @param future A Future of an executor of this thread; one of your own only with a `timeout`.
 * @param timeout Time in milliseconds to wait at most; 0 or less looks once.
 * @default timeout Infinity
 * @returns The result.
 * @throws whatever the task throws.
 * @throws {TimeoutError} when the Future is not done in time. The call goes on; ask again.
 * @throws {CancelledError} when the Future was cancelled; or the reason of the signal that did.
 * @throws {TypeError} when `future` is no Future, or `timeout` no number.
 * @throws {RangeError} when `timeout` is NaN.
 * @throws {Error} when the Future needs the event loop: its workers had started before this module was imported, its executor
 * runs calls elsewhere, or this is a browser.
 *
 * @example A result
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import { resultSync } from "@concurrent/futures/sync";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * assert.equal(resultSync(executor.submit(() => 42), 60_000), 42);
 * ```
 */
export function resultSync<T>(future: Future<T>, timeout?: number): T {
  blockFor("wait for a result", future, timeout);
  const outcome = future.outcome!;
  if (outcome.status === "fulfilled") return outcome.value;
  throw outcome.reason;
}

/**
 * Blocks until a Future is done, and returns its error.
 *
 * @param future A Future of an executor of this thread; one of your own only with a `timeout`.
 * @param timeout Time in milliseconds to wait at most; 0 or less looks once.
 * @default timeout Infinity
 * @returns What the task threw, or `undefined` if it returned.
 * @throws {TimeoutError} when the Future is not done in time. The call goes on; ask again.
 * @throws {CancelledError} when the Future was cancelled; or the reason of the signal that did.
 * @throws {TypeError} when `future` is no Future, or `timeout` no number.
 * @throws {RangeError} when `timeout` is NaN.
 * @throws {Error} when the Future needs the event loop, as in {@linkcode resultSync}.
 *
 * @example The error of a task
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import { exceptionSync } from "@concurrent/futures/sync";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * assert.ok(exceptionSync(executor.submit((text: string) => JSON.parse(text), "{")) instanceof SyntaxError);
 * ```
 */
export function exceptionSync(future: Future<unknown>, timeout?: number): unknown {
  blockFor("wait for an error", future, timeout);
  const outcome = future.outcome!;
  if (outcome.status === "cancelled") throw outcome.reason;
  return outcome.status === "rejected" ? outcome.reason : undefined;
}

function blockFor(action: string, future: Future<unknown>, timeout = Infinity): void {
  if (!(future instanceof Future)) refuse(action, "'future' must be a Future", future);
  checkNumber(action, "timeout", timeout);
  assertBlocks(action, refusalOf(future, timeout));
  if (!block(() => future.done(), timeout)) throw lateError(future, timeout);
}

/**
 * Blocks until futures are done; they may be of different executors. It is no error when the time is over.
 *
 * @param futures The futures. One that is given twice counts once.
 * @param options What to wait for, and for how long.
 * @returns The futures that are done, and those that are not.
 * @throws {TypeError} when `futures` is not an iterable of futures, or an option is unknown or of the wrong type.
 * @throws {RangeError} when `returnWhen` is none of the three constants, or `timeout` is NaN.
 * @throws {Error} when a Future needs the event loop, as in {@linkcode resultSync}.
 *
 * @example Waiting for all
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import { waitSync } from "@concurrent/futures/sync";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * const futures = [1, 2, 3].map((n) => executor.submit((n: number) => n * n, n));
 * const { done, notDone } = waitSync(futures);
 * assert.deepEqual([done.size, notDone.size], [3, 0]);
 * ```
 */
export function waitSync<F extends Future<unknown>>(
  futures: Iterable<F>,
  options: WaitSyncOptions = {},
): WaitResult<F> {
  const action = "wait for futures";
  checkOptions(action, options, WAIT_OPTIONS);
  const { timeout = Infinity, returnWhen = ALL_COMPLETED } = options;
  const all = futureSet(action, futures);
  checkNumber(action, "timeout", timeout);
  if (returnWhen !== ALL_COMPLETED && returnWhen !== FIRST_COMPLETED && returnWhen !== FIRST_EXCEPTION) {
    throw new RangeError(`Invalid return condition: ${String(returnWhen)}`);
  }
  const pending = new Set<F>();
  let met = all.size === 0;
  const note = (future: F) => {
    if (returnWhen === FIRST_COMPLETED || (returnWhen === FIRST_EXCEPTION && hasFailed(future))) met = true;
  };
  const watcher: Watcher = (future) => {
    pending.delete(future as F);
    note(future as F);
  };
  for (const future of all) {
    assertBlocks(action, refusalOf(future, timeout));
    if (future.done()) note(future);
    else pending.add(future);
  }
  for (const future of pending) watchFuture(future, watcher);
  block(() => met || pending.size === 0, timeout);
  for (const future of pending) unwatchFuture(future, watcher);
  for (const future of pending) all.delete(future);
  return { done: all, notDone: pending };
}

/**
 * Iterates without the event loop over what `executor.map()`, `executor.stream()` or `asCompleted()` has returned: each step blocks until the next
 * result is there. Leaving the loop ends that iteration.
 *
 * @param iterator The iterator.
 * @returns An iterator of the same results, for one loop.
 * @throws {TypeError} when `iterator` is of something else.
 * @throws {Error} when it needs the event loop, as in {@linkcode resultSync}, or an input of `map()` or `stream()` is
 * an async iterable.
 * @throws (the loop) what the iterator rejects with.
 *
 * @example The results of a map()
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import { iterateSync } from "@concurrent/futures/sync";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * assert.deepEqual([...iterateSync(executor.map((n: number) => n * n, [1, 2, 3]))], [1, 4, 9]);
 * ```
 */
export function iterateSync<T>(
  iterator: AsyncIterable<T> | { [Symbol.asyncIterator](): { next(): Promise<IteratorResult<T>> } },
): IterableIterator<T> {
  const action = "iterate over results", source = iterator as unknown as Source<T>;
  if (typeof source?.[TAKE] !== "function") {
    refuse(action, "'iterator' must be what map(), stream() or asCompleted() has returned", iterator);
  }
  assertBlocks(action, source.refusesToBlock);
  return steps(source);
}

type Source<T> = Takeable<T> & { return(): Promise<unknown> };

function* steps<T>(source: Source<T>): Generator<T, void, undefined> {
  try {
    for (;;) {
      let result: IteratorResult<T> | undefined;
      block(() => (result = source[TAKE]()) !== undefined, Infinity);
      if (result!.done) return;
      yield result!.value;
    }
  } finally {
    void source.return();
  }
}
