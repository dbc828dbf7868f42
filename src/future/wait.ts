// wait() and asCompleted(): one watcher for all the futures of a call, so both are linear in their number.

import { checkNumber, checkOptions } from "../wire/check.ts";
import { TimeoutError } from "./errors.ts";
import { Future, hasFailed, unwatchFuture, type Watcher, watchFuture } from "./future.ts";
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
  /** How long to wait at most, in milliseconds; 0 or less looks once. Without it: as long as it takes. */
  timeout?: number;
  /** What to wait for; {@linkcode ALL_COMPLETED} by default. */
  returnWhen?: ReturnWhen;
}

/** Options of {@linkcode asCompleted}. */
export interface AsCompletedOptions {
  /** How long the whole iteration may take, in milliseconds, counted from the call. */
  timeout?: number;
}

/** What {@linkcode asCompleted} returns: an async iterator that yields the futures themselves, not their results. */
export interface CompletionIterator<F> {
  /** The next future that is done. */
  next(): Promise<IteratorResult<F>>;
  /** Ends the iteration; nothing is cancelled. */
  return(): Promise<IteratorResult<F>>;
  /** Itself. */
  [Symbol.asyncIterator](): CompletionIterator<F>;
}

/** The two sets that {@linkcode wait} returns; together they are its input. */
export interface WaitResult<F> {
  /** The futures that have finished or were cancelled. */
  readonly done: Set<F>;
  /** The others. */
  readonly notDone: Set<F>;
}

/**
 * Waits for some futures, of any executors, mixed as you like. Time running out is no error here.
 *
 * @param fs The futures; a future given twice counts once.
 * @param options When to return.
 * @returns The futures that are done and those that are not, when it returned.
 * @throws {TypeError} when `fs` is not an iterable of futures, or an option is of the wrong kind.
 * @throws {RangeError} when `returnWhen` is none of the three constants, or `timeout` is NaN.
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
export function wait<F extends Future<unknown>>(fs: Iterable<F>, options: WaitOptions = {}): Promise<WaitResult<F>> {
  checkOptions("wait for futures", options);
  const { timeout = Infinity, returnWhen = ALL_COMPLETED } = options;
  const futures = futureSet("wait for futures", fs);
  checkNumber("wait for futures", "timeout", timeout);
  if (returnWhen !== ALL_COMPLETED && returnWhen !== FIRST_COMPLETED && returnWhen !== FIRST_EXCEPTION) {
    throw new RangeError(`Invalid return condition: ${String(returnWhen)}`);
  }
  const pending = new Set<Future<unknown>>();
  let met = false;
  for (const future of futures) {
    if (!future.done()) pending.add(future);
    else if (returnWhen === FIRST_COMPLETED || (returnWhen === FIRST_EXCEPTION && hasFailed(future))) met = true;
  }
  const split = (): WaitResult<F> => {
    const done = new Set<F>(), notDone = new Set<F>();
    for (const future of futures) (future.done() ? done : notDone).add(future);
    return { done, notDone };
  };
  if (met || pending.size === 0 || timeout <= 0) return Promise.resolve(split());
  return new Promise((resolve) => {
    const finish = () => {
      timer.clear();
      for (const future of pending) unwatchFuture(future, watcher);
      // Later in this turn, so that what ends together with the awaited one is done too (W6).
      queueMicrotask(() => resolve(split()));
    };
    const watcher: Watcher = (future) => {
      pending.delete(future);
      if (pending.size === 0 || returnWhen === FIRST_COMPLETED) finish();
      else if (returnWhen === FIRST_EXCEPTION && hasFailed(future)) finish();
    };
    const timer: Timer = startTimer(timeout, finish);
    for (const future of pending) watchFuture(future, watcher);
  });
}

/**
 * Yields each future as it becomes done, those that are done already first.
 *
 * It yields the Future itself, not its result. (`for await` would unwrap a Future that an async generator yields; this
 * iterator is none.)
 *
 * @param fs The futures; a future given twice comes once.
 * @param options The time limit.
 * @returns The iterator. It rejects with a {@linkcode TimeoutError} when time runs out while futures are pending.
 * @throws {TypeError} when `fs` is not an iterable of futures, or `timeout` is not a number.
 * @throws {RangeError} when `timeout` is NaN.
 *
 * @example Results as they come
 * ```ts
 * import { asCompleted, ThreadPoolExecutor } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * const squares = [1, 2, 3].map((n) => executor.submit((n: number) => n * n, n));
 * let sum = 0;
 * for await (const future of asCompleted(squares)) sum += await future;
 * assert.equal(sum, 14);
 * ```
 */
export function asCompleted<F extends Future<unknown>>(
  fs: Iterable<F>,
  options: AsCompletedOptions = {},
  // A union of one type with itself: TypeScript (6.0) takes what `for await` gets from an AsyncIterator, and from any type
  // that it meets for the second time, to be awaited once more, a `number` and not a `Future<number>`; but not of a union.
): CompletionIterator<F> | Required<CompletionIterator<F>> {
  checkOptions("iterate over futures", options);
  const { timeout = Infinity } = options;
  checkNumber("iterate over futures", "timeout", timeout);
  return new Completions(futureSet("iterate over futures", fs), timeout);
}

class Completions<F extends Future<unknown>> implements CompletionIterator<F> {
  readonly #total: number;
  readonly #deadline: number;
  readonly #pending = new Set<F>();
  /** Done and not yet yielded, newest first, so that taking the oldest is a pop. */
  #ready: F[] = [];
  #arrived: F[] = [];
  #waiters: { resolve(result: IteratorResult<F>): void; reject(reason: unknown): void }[] = [];
  #timer: Timer | undefined;
  readonly #watcher: Watcher = (future) => {
    this.#pending.delete(future as F);
    this.#arrived.push(future as F);
    this.#serve();
  };

  constructor(futures: Set<F>, timeout: number) {
    this.#total = futures.size;
    this.#deadline = performance.now() + timeout;
    for (const future of futures) {
      if (future.done()) {
        this.#arrived.push(future);
      } else {
        this.#pending.add(future);
        watchFuture(future, this.#watcher);
      }
    }
  }

  // Not an async generator, and the Future travels inside the result object: nothing ever awaits it.
  next(): Promise<IteratorResult<F>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#serve();
      if (this.#waiters.length > 0 && !this.#timer) {
        const left = this.#deadline - performance.now();
        if (left <= 0) this.#timeOut();
        else this.#timer = startTimer(left, () => this.#timeOut());
      }
    });
  }

  return(): Promise<IteratorResult<F>> {
    this.#detach();
    this.#ready = this.#arrived = [];
    this.#serve();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): F | undefined {
    if (this.#ready.length === 0) {
      this.#ready = this.#arrived.reverse();
      this.#arrived = [];
    }
    return this.#ready.pop();
  }

  #serve(): void {
    while (this.#waiters.length > 0) {
      const future = this.#take();
      if (future === undefined && this.#pending.size > 0) return;
      const waiter = this.#waiters.shift()!;
      waiter.resolve(future === undefined ? { value: undefined, done: true } : { value: future, done: false });
    }
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #timeOut(): void {
    const unfinished = this.#pending.size;
    const [waiter] = this.#waiters.splice(0, 1);
    this.#detach();
    waiter?.reject(new TimeoutError(`${unfinished} (of ${this.#total}) futures unfinished`));
    this.#serve();
  }

  #detach(): void {
    for (const future of this.#pending) unwatchFuture(future, this.#watcher);
    this.#pending.clear();
  }
}

function futureSet<F extends Future<unknown>>(action: string, fs: Iterable<F>): Set<F> {
  if (typeof (fs as Iterable<F> | undefined)?.[Symbol.iterator] !== "function") {
    throw new TypeError(`Cannot ${action} as 'fs' must be an iterable of futures: received ${typeof fs}`);
  }
  const futures = new Set(fs);
  for (const future of futures) {
    if (!(future instanceof Future)) {
      throw new TypeError(`Cannot ${action} as 'fs' must hold futures only: received ${typeof future}`);
    }
  }
  return futures;
}
