// Future: the result of one call, with Python's methods and those of a promise. Executors create and settle Futures; wait() and
// asCompleted() watch them.

import { keepLocal } from "../wire/marks.ts";
import { checkNumber, checkOptions, checkSignal, optionNames, refuseKind } from "../wire/check.ts";
import { CancelledError, InvalidStateError, TimeoutError } from "./errors.ts";
import { kindOf } from "./kind_of.ts";
import { report } from "../report.ts";
import { CANCELLED, FULFILLED, type FutureState, PENDING, REJECTED, RUNNING } from "./state.ts";
import { type Abortable, unwatchSignal, watchSignal } from "./signal.ts";
import { startTimer, type Timer } from "./timer.ts";
import type { UnobservedFailures } from "./unobserved.ts";

/**
 * How a Future ended.
 *
 * @typeParam T The type of the result.
 */
export type FutureOutcome<T> =
  | { readonly status: "fulfilled"; readonly value: T }
  | { readonly status: "rejected"; readonly reason: unknown }
  | { readonly status: "cancelled"; readonly reason: unknown };

/** Options of {@linkcode Future.result} and {@linkcode Future.exception}. */
export interface ResultOptions {
  /**
   * Time in milliseconds to wait at most; 0 or less looks once.
   *
   * @default Infinity
   */
  timeout?: number | undefined;
  /**
   * Ends the waiting when it aborts: the promise rejects with its reason. The call is not cancelled.
   *
   * @default none
   */
  signal?: AbortSignal | undefined;
}

const RESULT_OPTIONS = optionNames<ResultOptions>({ timeout: true, signal: true });

/** The executor's side of a Future's call. */
export interface CallControl {
  /** Counts its failure until it is observed. */
  readonly unobserved: Pick<UnobservedFailures, "add" | "remove">;
  /** Why it cannot be waited for without the event loop; `undefined` if it can. */
  readonly refusesToBlock?: string | undefined;
  /** Withdraws the call; false when a worker has begun it. */
  withdraw(): boolean;
  /** Whether a worker has begun it. */
  begun(): boolean;
  /** Cancels it, together with its worker if it has begun. */
  end?(reason: unknown): void;
}

/** Called once, when a Future is done, before its promises and callbacks are (F8). */
export type Watcher = (future: Future<unknown>) => void;

type Callback = (future: never) => unknown;

/** Who waits for a Future, unless that is nobody, or one watcher alone: 100,000 Futures of one wait() have none of these. */
class Listeners {
  watchers: Set<Watcher> | undefined = undefined;
  callbacks: Callback[] | undefined = undefined;
  promise: Promise<unknown> | undefined = undefined;
  resolve: ((value: unknown) => void) | undefined = undefined;
  reject: ((reason: unknown) => void) | undefined = undefined;

  /** The promise of the Future. */
  ask(): Promise<unknown> {
    // Promise.withResolvers is not in Node 20.
    return this.promise ??= new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

// What the package may do with a Future and its users may not: set by the class itself, as only it has the private names.

/** Gives a Future the executor's side of its call. */
export let bindCall: (future: Future<unknown>, control: CallControl) => void;
/** Why a Future cannot be waited for without the event loop; `undefined` if it can. */
export let refusalOf: (future: Future<unknown>, timeout: number) => string | undefined;
/** The error when the result of a Future is not there in time. */
export let lateError: (future: Future<unknown>, timeout: number) => TimeoutError;
/** Settles a Future unless it is done: a late answer is ignored (F12). */
export let settleFuture: (future: Future<unknown>, kind: "fulfilled" | "rejected", value: unknown) => void;
/** Cancels a Future whose call was withdrawn; it rejects with the reason. */
export let cancelFuture: (future: Future<unknown>, reason: unknown) => void;
/** Cancels a Future, and ends the worker of its call if that has begun. */
export let endCall: (future: Future<unknown>, reason: unknown) => void;
/** Adds a watcher to a Future that is not done. */
export let watchFuture: (future: Future<unknown>, watcher: Watcher) => void;
/** Removes a watcher. */
export let unwatchFuture: (future: Future<unknown>, watcher: Watcher) => void;
/** Whether a Future has failed. Asking does not count as observing the failure (W4, W7). */
export let hasFailed: (future: Future<unknown>) => boolean;

/**
 * The result of a call, which may still be queued or run. `await` it like a promise, or use Python's methods.
 *
 * A promise exists only once somebody asks for it, so a failed Future is no unhandled rejection. A failure that nothing has
 * observed is reported after the shutdown of the executor (see {@linkcode ExecutorOptions.onUnobserved}). Every method
 * follows `concurrent.futures.Future`, but a cancelled Future is done at once, everywhere.
 *
 * @typeParam T The type of the result.
 *
 * @example A Future of an executor
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor();
 * const future = executor.submit((n: number) => n * 2, 21);
 * assert.equal(await future, 42);
 * assert.equal(future.done(), true);
 * ```
 */
export class Future<T> implements PromiseLike<T> {
  #state: FutureState = PENDING;
  /** The result, the error, or the reason of the cancellation. */
  #value: unknown = undefined;
  /** Kept until the Future is done; if it failed, until its failure is observed. */
  #call: CallControl | undefined = undefined;
  /** Who waits: nobody, one watcher, or any number of watchers, callbacks and promises. */
  #waiting: Watcher | Listeners | undefined = undefined;

  static {
    keepLocal((value) => #state in value, "A Future cannot be sent to a worker: await it, and send what it gives");
    bindCall = (future, control) => future.#call = control;
    refusalOf = (future, timeout) => {
      if (future.#state >= CANCELLED) return undefined;
      if (future.#call) return future.#call.refusesToBlock;
      return timeout === Infinity
        ? "no executor settles this Future, so it may block for ever: give it a timeout"
        : undefined;
    };
    lateError = (future, timeout) => future.#late(timeout);
    settleFuture = (future, kind, value) => {
      if (future.#state < CANCELLED) future.#settle(kind === "fulfilled" ? FULFILLED : REJECTED, value);
    };
    cancelFuture = (future, reason) => {
      if (future.#state < CANCELLED) future.#settle(CANCELLED, reason);
    };
    endCall = (future, reason) => {
      if (future.#state < CANCELLED) future.#call?.end?.(reason);
    };
    watchFuture = (future, watcher) => {
      if (future.#waiting === undefined) future.#waiting = watcher;
      else (future.#listeners().watchers ??= new Set()).add(watcher);
    };
    unwatchFuture = (future, watcher) => {
      if (future.#waiting === watcher) future.#waiting = undefined;
      else if (typeof future.#waiting === "object") future.#waiting.watchers?.delete(watcher);
    };
    hasFailed = (future) => future.#state === REJECTED;
  }

  /**
   * Cancels the call if no worker has begun it. The Future then rejects with a {@linkcode CancelledError}.
   *
   * @returns `true` if the Future is cancelled, now or earlier; `false` if the call runs or is done.
   *
   * @example A call that waits for a worker
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
   * executor.submit(() => "first");
   * const second = executor.submit(() => "second");
   * assert.deepEqual([second.cancel(), second.cancelled()], [true, true]);
   * ```
   */
  cancel(): boolean {
    if (this.#state === CANCELLED) return true;
    if (this.#state !== PENDING || (this.#call && !this.#call.withdraw())) return false;
    this.#settle(CANCELLED, new CancelledError());
    return true;
  }

  /** Whether the Future was cancelled. */
  cancelled(): boolean {
    return this.#state === CANCELLED;
  }

  /** Whether the call runs: from the moment {@linkcode Future.cancel} cannot succeed any more until the call is done. */
  running(): boolean {
    return this.#state === RUNNING || (this.#state === PENDING && this.#call !== undefined && this.#call.begun());
  }

  /** Whether the Future has a result, has failed, or was cancelled. */
  done(): boolean {
    return this.#state >= CANCELLED;
  }

  /** How the Future ended, without waiting: for callbacks. `undefined` until it is done. */
  get outcome(): FutureOutcome<T> | undefined {
    this.#observe();
    if (this.#state === FULFILLED) return { status: "fulfilled", value: this.#value as T };
    if (this.#state === REJECTED) return { status: "rejected", reason: this.#value };
    return this.#state === CANCELLED ? { status: "cancelled", reason: this.#value } : undefined;
  }

  /**
   * Waits for the result.
   *
   * @param limits Time in milliseconds to wait at most, or {@linkcode ResultOptions}. Without it, there is no limit.
   * @returns The result.
   * @throws (rejects) whatever the task throws.
   * @throws {TimeoutError} (rejects) when the Future is not done in time. The call goes on; ask again.
   * @throws {CancelledError} (rejects) when {@linkcode Future.cancel} or a shutdown cancelled the Future; or, when the signal
   * of its call did, the reason of that signal.
   * @throws (rejects) the reason of the `signal` given here, when it aborts. The call goes on.
   * @throws {TypeError} when an option is unknown or of the wrong type.
   * @throws {RangeError} when `timeout` is NaN.
   *
   * @example Waiting while a request is open
   * ```ts
   * import { Future } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * const request = new AbortController();
   * const waiting = new Future<number>().result({ timeout: 60_000, signal: request.signal });
   * request.abort();
   * await assert.rejects(waiting, { name: "AbortError" });
   * ```
   */
  result(limits?: number | ResultOptions): Promise<T> {
    return limits === undefined ? this.#promise() : this.#within("wait for a result", limits, () => this.#promise());
  }

  /**
   * Waits until the Future is done, and returns its error.
   *
   * @param limits Time in milliseconds to wait at most, or {@linkcode ResultOptions}. Without it, there is no limit.
   * @returns What the task threw, or `undefined` if it returned.
   * @throws {TimeoutError} (rejects) when the Future is not done in time. The call goes on; ask again.
   * @throws {CancelledError} (rejects) when {@linkcode Future.cancel} or a shutdown cancelled the Future; or, when the signal
   * of its call did, the reason of that signal.
   * @throws (rejects) the reason of the `signal` given here, when it aborts. The call goes on.
   * @throws {TypeError} when an option is unknown or of the wrong type.
   * @throws {RangeError} when `timeout` is NaN.
   *
   * @example The error of a task
   * ```ts
   * import { ThreadPoolExecutor } from "@concurrent/futures";
   * import assert from "node:assert/strict";
   *
   * await using executor = new ThreadPoolExecutor();
   * const future = executor.submit((text: string) => JSON.parse(text), "{");
   * assert.ok((await future.exception()) instanceof SyntaxError);
   * ```
   */
  exception(limits?: number | ResultOptions): Promise<unknown> {
    const error = () =>
      this.#promise().then(() => undefined, (reason) => {
        if (this.#state === REJECTED) return reason;
        throw reason;
      });
    return limits === undefined ? error() : this.#within("wait for an error", limits, error);
  }

  /**
   * Calls `fn` with this Future when it is done, or at once if it is done already. Callbacks run in the order in which they
   * were added. An error of a callback is written to `console.error` and has no other effect.
   *
   * @param fn The callback. It reads the result from `future.outcome`.
   * @throws {TypeError} when `fn` is not a function.
   */
  addDoneCallback(fn: (future: Future<T>) => unknown): void {
    if (typeof fn !== "function") {
      throw new TypeError(`Cannot add a callback as 'fn' must be a function: received ${typeof fn}`);
    }
    if (this.#state >= CANCELLED) this.#callBack(fn);
    else (this.#listeners().callbacks ??= []).push(fn);
  }

  /**
   * Marks a pending Future as running. For executors and tests.
   *
   * @returns `false` if the Future was cancelled: its call must not run.
   * @throws {InvalidStateError} when it runs or is done.
   */
  setRunningOrNotifyCancel(): boolean {
    if (this.#state === CANCELLED) return false;
    if (this.#state !== PENDING) throw new InvalidStateError(`Future in unexpected state: ${this}`);
    this.#state = RUNNING;
    return true;
  }

  /**
   * Fulfils the Future. For executors and tests.
   *
   * @param value The result.
   * @throws {InvalidStateError} when the Future is done; it keeps its first outcome.
   */
  setResult(value: T): void {
    this.#refuseIfDone();
    this.#settle(FULFILLED, value);
  }

  /**
   * Rejects the Future. For executors and tests.
   *
   * @param reason The error, or any other value, as of `throw`.
   * @throws {InvalidStateError} when the Future is done; it keeps its first outcome.
   */
  setException(reason: unknown): void {
    this.#refuseIfDone();
    this.#settle(REJECTED, reason);
  }

  /** Does what `Promise.prototype.then` does; `await` calls it. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onFulfilled, onRejected);
  }

  /** Does what `Promise.prototype.catch` does. */
  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, onRejected);
  }

  /** Does what `Promise.prototype.finally` does. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.then().finally(onFinally);
  }

  /** `Future` */
  get [Symbol.toStringTag](): string {
    return "Future";
  }

  /** Returns a text such as `<Future state=finished returned number>`. */
  toString(): string {
    if (this.#state === FULFILLED) return `<Future state=finished returned ${kindOf(this.#value)}>`;
    if (this.#state === REJECTED) return `<Future state=finished raised ${kindOf(this.#value)}>`;
    if (this.#state === CANCELLED) return "<Future state=cancelled>";
    return this.running() ? "<Future state=running>" : "<Future state=pending>";
  }

  /** Returns what `console.log` shows, on every runtime. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Waits until the Future is done and then calls `take`, unless the time is over or the signal aborts before. */
  #within<R>(action: string, limits: number | ResultOptions, take: () => Promise<R>): Promise<R> {
    const { timeout, signal } = readLimits(action, limits);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#state >= CANCELLED || (timeout === Infinity && !signal)) return take();
    if (timeout <= 0) return Promise.reject(this.#late(0));
    return new Promise((resolve, reject) => {
      const detach = () => {
        timer.clear();
        unwatchFuture(this, settle);
        if (signal) unwatchSignal(signal, stop);
      };
      const settle = () => {
        detach();
        take().then(resolve, reject);
      };
      const stop: Abortable = {
        abort(reason) {
          detach();
          reject(reason);
        },
      };
      const timer: Timer = startTimer(timeout, () => stop.abort(this.#late(timeout)));
      watchFuture(this, settle);
      if (signal) watchSignal(signal, stop);
    });
  }

  #late(timeout: number): TimeoutError {
    return new TimeoutError(`The result of ${this} was not there after ${timeout} ms`);
  }

  #refuseIfDone(): void {
    if (this.#state >= CANCELLED) {
      throw new InvalidStateError(`${this.#state === CANCELLED ? "CANCELLED" : "FINISHED"}: ${this}`);
    }
  }

  #listeners(): Listeners {
    const waiting = this.#waiting;
    if (typeof waiting === "object") return waiting;
    const listeners = this.#waiting = new Listeners();
    if (waiting) listeners.watchers = new Set([waiting]);
    return listeners;
  }

  #settle(state: FutureState, value: unknown): void {
    this.#state = state;
    this.#value = value;
    const waiting = this.#waiting, listeners = typeof waiting === "object" ? waiting : undefined;
    // Who has the promise observes the failure.
    if (state === REJECTED && !listeners?.promise) this.#call?.unobserved.add(this, value);
    else this.#call = undefined;
    this.#waiting = undefined;
    if (typeof waiting === "function") return waiting(this);
    if (!listeners) return;
    const { watchers, callbacks } = listeners;
    if (watchers) { for (const watcher of watchers) watcher(this); }
    if (listeners.promise) {
      if (state === FULFILLED) listeners.resolve!(value);
      else listeners.reject!(value);
    }
    if (callbacks) { for (const callback of callbacks) this.#callBack(callback); }
  }

  #callBack(fn: Callback): void {
    try {
      const returned = fn(this as never);
      if (returned instanceof Promise) returned.catch((error) => report("Exception calling callback for", this, error));
    } catch (error) {
      report("Exception calling callback for", this, error);
    }
  }

  /** Notes that the outcome is observed. */
  #observe(): void {
    if (this.#state !== REJECTED) return;
    this.#call?.unobserved.remove(this);
    this.#call = undefined;
  }

  #promise(): Promise<T> {
    this.#observe();
    if (this.#state === FULFILLED) return Promise.resolve(this.#value as T);
    if (this.#state >= CANCELLED) return Promise.reject(this.#value);
    return this.#listeners().ask() as Promise<T>;
  }
}

function readLimits(action: string, limits: number | ResultOptions) {
  if (typeof limits === "number") limits = { timeout: limits };
  else if (typeof limits !== "object") refuseKind(action, "timeout", "a number, or options", limits);
  checkOptions(action, limits, RESULT_OPTIONS);
  const { timeout = Infinity, signal } = limits;
  checkNumber(action, "timeout", timeout);
  checkSignal(action, "signal", signal);
  return { timeout, signal };
}
