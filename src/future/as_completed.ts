// asCompleted(): one watcher for all the futures of an iteration, so that its time is linear in their number.

import { checkNumber, checkOptions } from "../wire/check.ts";
import { TimeoutError } from "./errors.ts";
import { type Future, unwatchFuture, type Watcher, watchFuture } from "./future.ts";
import { futureSet } from "./future_set.ts";
import { startTimer, type Timer } from "./timer.ts";

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

/**
 * Yields each future as it becomes done, those that are done already first.
 *
 * It yields the Future itself, not its result. (`for await` would unwrap a Future that an async generator yields; this
 * iterator is none.)
 *
 * @param futures The futures; a future given twice comes once.
 * @param options The time limit.
 * @returns The iterator. It rejects with a {@linkcode TimeoutError} when time runs out while futures are pending.
 * @throws {TypeError} when `futures` is not an iterable of futures, or `timeout` is not a number.
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
  futures: Iterable<F>,
  options: AsCompletedOptions = {},
  // A union of one type with itself: TypeScript (6.0) takes what `for await` gets from an AsyncIterator, and from any type
  // that it meets for the second time, to be awaited once more, a `number` and not a `Future<number>`; but not of a union.
): CompletionIterator<F> | Required<CompletionIterator<F>> {
  checkOptions("iterate over futures", options);
  const { timeout = Infinity } = options;
  checkNumber("iterate over futures", "timeout", timeout);
  return new Completions(futureSet("iterate over futures", futures), timeout);
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
