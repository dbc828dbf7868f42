// Future: the promise of one call's result, with Python's methods. Executors make and settle them; `wait.ts` watches them.

import { keepLocal } from "../wire/marks.ts";
import { checkNumber, checkOptions, checkSignal, optionNames, refuseKind } from "../wire/check.ts";
import { CancelledError, InvalidStateError, TimeoutError } from "./errors.ts";
import { report } from "../report.ts";
import { CANCELLED, FULFILLED, type FutureState, PENDING, REJECTED, RUNNING } from "./state.ts";
import { type Abortable, unwatchSignal, watchSignal } from "./signal.ts";
import { startTimer, type Timer } from "./timer.ts";
import type { UnobservedFailures } from "./unobserved.ts";

/** How a Future ended. */
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
  /** Where its failure counts until somebody looks at it. */
  readonly unobserved: Pick<UnobservedFailures, "add" | "remove">;
  /** Takes the call back; false when a worker has begun it. */
  withdraw(): boolean;
  /** Whether a worker has begun it. */
  begun(): boolean;
}

/** Told once, at the moment a Future is done, before promises and callbacks are (F8). */
export type Watcher = (future: Future<unknown>) => void;

type Callback = (future: never) => unknown;

/** Those who wait for a Future: made for the first, as many have none. */
class Listeners {
  watchers: Set<Watcher> | undefined = undefined;
  callbacks: Callback[] | undefined = undefined;
  promise: Promise<unknown> | undefined = undefined;
  resolve: ((value: unknown) => void) | undefined = undefined;
  reject: ((reason: unknown) => void) | undefined = undefined;
}

// Friends of the class: what the executor and wait.ts may do with a Future and its users may not.

/** Joins a Future to the executor's side of its call. */
export let bindCall: (future: Future<unknown>, control: CallControl) => void;
/** Settles a Future unless it is done already: a late answer is dropped quietly (F12). */
export let settleFuture: (future: Future<unknown>, kind: "fulfilled" | "rejected", value: unknown) => void;
/** Cancels a Future whose call was withdrawn, with the reason that it rejects with. */
export let cancelFuture: (future: Future<unknown>, reason: unknown) => void;
/** Adds a watcher to a Future that is not done. */
export let watchFuture: (future: Future<unknown>, watcher: Watcher) => void;
/** Removes it again. */
export let unwatchFuture: (future: Future<unknown>, watcher: Watcher) => void;
/** Whether it failed by its task's own error, without counting as a look at it (W4, W7). */
export let hasFailed: (future: Future<unknown>) => boolean;

/**
 * The result of a call that may not have finished, or begun, yet. `await` it like a promise, or use Python's methods.
 *
 * No promise exists before somebody asks for one, so a failed Future that nobody looks at is no unhandled rejection.
 * Every method follows `concurrent.futures.Future`; a cancelled Future is done at once, everywhere.
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
  /** The result, the error or the reason of the cancellation. */
  #value: unknown = undefined;
  /** Kept until it is done, and that of a failure until somebody looks at it. */
  #call: CallControl | undefined = undefined;
  #listeners: Listeners | undefined = undefined;

  static {
    keepLocal((value) => #state in value, "A Future cannot be sent to a worker: await it, and send what it gives");
    bindCall = (future, control) => future.#call = control;
    settleFuture = (future, kind, value) => {
      if (future.#state < CANCELLED) future.#settle(kind === "fulfilled" ? FULFILLED : REJECTED, value);
    };
    cancelFuture = (future, reason) => {
      if (future.#state < CANCELLED) future.#settle(CANCELLED, reason);
    };
    watchFuture = (future, watcher) =>
      void ((future.#listeners ??= new Listeners()).watchers ??= new Set()).add(watcher);
    unwatchFuture = (future, watcher) => void future.#listeners?.watchers?.delete(watcher);
    hasFailed = (future) => future.#state === REJECTED;
  }

  /**
   * Cancels the call if no worker has begun it.
   *
   * @returns `true` when the Future is cancelled, now or earlier; `false` when the call runs or has finished.
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

  /** Whether the call runs: exactly from when {@linkcode Future.cancel} cannot succeed any more until it is done. */
  running(): boolean {
    return this.#state === RUNNING || (this.#state === PENDING && this.#call !== undefined && this.#call.begun());
  }

  /** Whether the Future has a result, has failed or was cancelled. */
  done(): boolean {
    return this.#state >= CANCELLED;
  }

  /** How the Future ended, without waiting; `undefined` until it is done. A callback reads the result here. */
  get outcome(): FutureOutcome<T> | undefined {
    this.#observe();
    if (this.#state === FULFILLED) return { status: "fulfilled", value: this.#value as T };
    if (this.#state === REJECTED) return { status: "rejected", reason: this.#value };
    return this.#state === CANCELLED ? { status: "cancelled", reason: this.#value } : undefined;
  }

  /**
   * Waits for the result.
   *
   * @param limits How long to wait at most, in milliseconds, or {@linkcode ResultOptions}. Without it: as long as it takes.
   * @returns The result. Rejects with the task's error, or the reason of the cancellation.
   * @throws {TimeoutError} (rejects) when the Future is not done in time; that changes nothing, ask again.
   * @throws {CancelledError} (rejects) when the Future was cancelled.
   * @throws (rejects) the reason of the signal, when it has aborted; that changes nothing either.
   * @throws {TypeError} when an option is of the wrong kind.
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
   * Waits for the error.
   *
   * @param limits How long to wait at most, in milliseconds, or {@linkcode ResultOptions}. Without it: as long as it takes.
   * @returns What the task threw, or `undefined` when it succeeded.
   * @throws {TimeoutError} (rejects) when the Future is not done in time.
   * @throws {CancelledError} (rejects) when the Future was cancelled.
   * @throws (rejects) the reason of the signal, when it has aborted.
   * @throws {TypeError} when an option is of the wrong kind.
   * @throws {RangeError} when `timeout` is NaN.
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
   * Calls `fn` with this Future when it is done: synchronously, in the order of addition, at once if it is done already.
   * An error of a callback is reported on the console and disturbs nothing else.
   *
   * @param fn The callback; `future.outcome` has the result for it.
   * @throws {TypeError} when `fn` is not a function.
   */
  addDoneCallback(fn: (future: Future<T>) => unknown): void {
    if (typeof fn !== "function") {
      throw new TypeError(`Cannot add a callback as 'fn' must be a function: received ${typeof fn}`);
    }
    if (this.#state >= CANCELLED) this.#callBack(fn);
    else ((this.#listeners ??= new Listeners()).callbacks ??= []).push(fn);
  }

  /**
   * Marks a pending Future as running. For executors and tests.
   *
   * @returns `false` when the Future was cancelled: its call must not run.
   * @throws {InvalidStateError} when it runs already or has finished.
   */
  setRunningOrNotifyCancel(): boolean {
    if (this.#state === CANCELLED) return false;
    if (this.#state !== PENDING) throw new InvalidStateError(`Future in unexpected state: ${this}`);
    this.#state = RUNNING;
    return true;
  }

  /**
   * Gives the Future its result. For executors and tests.
   *
   * @param value The result.
   * @throws {InvalidStateError} when it is done already; the first outcome is kept.
   */
  setResult(value: T): void {
    this.#refuseIfDone();
    this.#settle(FULFILLED, value);
  }

  /**
   * Makes the Future fail. For executors and tests.
   *
   * @param reason What it rejects with; any value, as with `throw`.
   * @throws {InvalidStateError} when it is done already; the first outcome is kept.
   */
  setException(reason: unknown): void {
    this.#refuseIfDone();
    this.#settle(REJECTED, reason);
  }

  /** As `Promise.prototype.then`; this is what `await` uses. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onFulfilled, onRejected);
  }

  /** As `Promise.prototype.catch`. */
  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, onRejected);
  }

  /** As `Promise.prototype.finally`. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.then().finally(onFinally);
  }

  /** `Future` */
  get [Symbol.toStringTag](): string {
    return "Future";
  }

  /** A text such as `<Future state=finished returned number>`. */
  toString(): string {
    if (this.#state === FULFILLED) return `<Future state=finished returned ${kindOf(this.#value)}>`;
    if (this.#state === REJECTED) return `<Future state=finished raised ${kindOf(this.#value)}>`;
    if (this.#state === CANCELLED) return "<Future state=cancelled>";
    return this.running() ? "<Future state=running>" : "<Future state=pending>";
  }

  /** What `console.log` shows, on every runtime. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** What `take` gives once the Future is done, unless its time is up or its signal aborts before. */
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

  #settle(state: FutureState, value: unknown): void {
    this.#state = state;
    this.#value = value;
    const listeners = this.#listeners;
    // Whoever has its promise will see how it ended.
    if (state === REJECTED && !listeners?.promise) this.#call?.unobserved.add(this, value);
    else this.#call = undefined;
    if (!listeners) return;
    this.#listeners = undefined;
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

  /** Somebody sees the outcome. */
  #observe(): void {
    if (this.#state !== REJECTED) return;
    this.#call?.unobserved.remove(this);
    this.#call = undefined;
  }

  #promise(): Promise<T> {
    this.#observe();
    if (this.#state === FULFILLED) return Promise.resolve(this.#value as T);
    if (this.#state >= CANCELLED) return Promise.reject(this.#value);
    const listeners = this.#listeners ??= new Listeners();
    // Promise.withResolvers is not in Node 20.
    return (listeners.promise ??= new Promise((resolve, reject) => {
      listeners.resolve = resolve;
      listeners.reject = reject;
    })) as Promise<T>;
  }
}

function readLimits(
  action: string,
  limits: number | ResultOptions,
): { timeout: number; signal: AbortSignal | undefined } {
  if (typeof limits === "number") limits = { timeout: limits };
  else if (typeof limits !== "object") refuseKind(action, "timeout", "a number, or options", limits);
  checkOptions(action, limits, RESULT_OPTIONS);
  const { timeout = Infinity, signal } = limits;
  checkNumber(action, "timeout", timeout);
  checkSignal(action, "signal", signal);
  return { timeout, signal };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? value.constructor?.name ?? "Object" : typeof value;
}
