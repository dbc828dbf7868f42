// asCompleted(): one watcher for all the futures of an iteration, so that its time is linear in their number.

import { TAKE, type Takeable } from "../wire/blocking.ts";
import { checkNumber, checkOptions, checkSignal, optionNames } from "../wire/check.ts";
import { TimeoutError } from "./errors.ts";
import { type Future, refusalOf, unwatchFuture, type Watcher, watchFuture } from "./future.ts";
import { futureSet } from "./future_set.ts";
import { type Abortable, unwatchSignal, watchSignal } from "./signal.ts";
import { startTimer, type Timer } from "./timer.ts";

/** Options of {@linkcode asCompleted}. */
export interface AsCompletedOptions {
  /**
   * Time in milliseconds that the whole iteration may take, counted from the call of `asCompleted`.
   *
   * @default Infinity
   */
  timeout?: number | undefined;
  /**
   * Ends the iteration when it aborts: the next step rejects with its reason. No call is cancelled.
   *
   * @default none
   */
  signal?: AbortSignal | undefined;
}

const AS_COMPLETED_OPTIONS = optionNames<AsCompletedOptions>({ timeout: true, signal: true });

/**
 * What {@linkcode asCompleted} returns: an async iterator of the futures themselves, not of their results.
 *
 * @typeParam F The type of the futures.
 */
export interface CompletionIterator<F> {
  /** Returns the next future that is done. */
  next(): Promise<IteratorResult<F>>;
  /** Ends the iteration; no call is cancelled. */
  return(): Promise<IteratorResult<F>>;
  /** Returns the iterator itself. */
  [Symbol.asyncIterator](): CompletionIterator<F>;
}

/**
 * Yields each future when it is done; those that are done already come first. The loop gets the Future itself and not its
 * result, so that a failure does not end the loop.
 *
 * @param futures The futures, which may be of different executors. One that is given twice comes once.
 * @param options A time limit, and a signal that ends the iteration.
 * @returns The iterator. Leaving the loop cancels nothing.
 * @throws {TypeError} when `futures` is not an iterable of futures, or an option is unknown or of the wrong type.
 * @throws {RangeError} when `timeout` is NaN.
 * @throws {TimeoutError} (the iterator rejects) when the time is over and a future is not done.
 * @throws the reason of `signal`, if it has aborted; the iterator rejects with it when it aborts later.
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
  futures: Iterable<F>,
  options: AsCompletedOptions = {},
  // A union of one type with itself: TypeScript (6.0) assumes that `for await` awaits what an AsyncIterator yields, a `number`
  // and not a `Future<number>`, and so for any type that it meets for the second time, but not for a union.
): CompletionIterator<F> | Required<CompletionIterator<F>> {
  checkOptions("iterate over futures", options, AS_COMPLETED_OPTIONS);
  const { timeout = Infinity, signal } = options;
  checkNumber("iterate over futures", "timeout", timeout);
  checkSignal("iterate over futures", "signal", signal);
  const all = futureSet("iterate over futures", futures);
  signal?.throwIfAborted();
  return new Completions(all, timeout, signal);
}

class Completions<F extends Future<unknown>> implements CompletionIterator<F>, Takeable<F> {
  readonly #total: number;
  readonly #deadline: number;
  readonly #signal: AbortSignal | undefined;
  /** Those that are not done. */
  readonly #pending: Set<F>;
  /** Done and not yet yielded, newest first, so that taking the oldest is a pop. */
  #ready: F[] = [];
  #arrived: F[] = [];
  #waiters: { resolve(result: IteratorResult<F>): void; reject(reason: unknown): void }[] = [];
  /** Runs while somebody waits; the signal is watched then, too. */
  #timer: Timer | undefined;
  #over = false;
  /** Why it has ended, until somebody is told who waits without a promise. */
  #stopped: { readonly reason: unknown } | undefined;
  readonly #stop: Abortable = { abort: (reason) => this.#endWith(reason) };
  readonly #watcher: Watcher = (future) => {
    this.#pending.delete(future as F);
    this.#arrived.push(future as F);
    this.#serve();
  };

  constructor(futures: Set<F>, timeout: number, signal: AbortSignal | undefined) {
    this.#total = futures.size;
    this.#deadline = performance.now() + timeout;
    this.#signal = signal;
    this.#pending = futures;
    for (const future of futures) {
      if (!future.done()) {
        watchFuture(future, this.#watcher);
      } else {
        futures.delete(future);
        this.#arrived.push(future);
      }
    }
  }

  // Not an async generator: that would await the Future. Inside the result object, nothing awaits it.
  next(): Promise<IteratorResult<F>> {
    const future = this.#waiters.length === 0 && !this.#signal?.aborted ? this.#take() : undefined;
    if (future) return Promise.resolve({ value: future, done: false });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#signal?.aborted && !this.#over) return this.#endWith(this.#signal.reason);
      this.#serve();
      if (this.#waiters.length > 0) this.#startTimer();
    });
  }

  get refusesToBlock(): string | undefined {
    for (const future of this.#pending) {
      const reason = refusalOf(future, this.#deadline);
      if (reason) return reason;
    }
    return undefined;
  }

  [TAKE](): IteratorResult<F> | undefined {
    if (this.#signal?.aborted && !this.#over) this.#endWith(this.#signal.reason);
    const future = this.#waiters.length === 0 ? this.#take() : undefined;
    if (future) {
      this.#endTimer();
      return { value: future, done: false };
    }
    if (this.#stopped) {
      const { reason } = this.#stopped;
      this.#stopped = undefined;
      throw reason;
    }
    if (this.#pending.size > 0) return void this.#startTimer();
    this.#over = true;
    return { value: undefined, done: true };
  }

  return(): Promise<IteratorResult<F>> {
    this.#end();
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
      if (future === undefined) this.#over = true;
      const waiter = this.#waiters.shift()!;
      waiter.resolve(future === undefined ? { value: undefined, done: true } : { value: future, done: false });
    }
    this.#endTimer();
  }

  #startTimer(): void {
    if (this.#timer) return;
    const left = this.#deadline - performance.now();
    if (left <= 0) return this.#timeOut();
    this.#timer = startTimer(left, () => this.#timeOut());
    if (this.#signal) watchSignal(this.#signal, this.#stop);
  }

  #endTimer(): void {
    if (!this.#timer) return;
    this.#timer.clear();
    this.#timer = undefined;
    if (this.#signal) unwatchSignal(this.#signal, this.#stop);
  }

  #timeOut(): void {
    this.#endWith(new TimeoutError(`${this.#pending.size} (of ${this.#total}) futures unfinished`));
  }

  /** Ends the iteration: the first who waits gets the reason, the others its end. */
  #endWith(reason: unknown): void {
    this.#end();
    const waiter = this.#waiters.shift();
    if (waiter) waiter.reject(reason);
    else this.#stopped = { reason };
    this.#serve();
  }

  #end(): void {
    this.#over = true;
    for (const future of this.#pending) unwatchFuture(future, this.#watcher);
    this.#pending.clear();
    this.#ready = this.#arrived = [];
  }
}
