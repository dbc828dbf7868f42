// What Executor.with() applies to its calls: checks, and the one listener that a signal needs for all of them.

import type { Call } from "./call.ts";
import { show } from "./options.ts";
import { timeLimit } from "./timer.ts";

/** Options of the calls of {@linkcode Executor.with}. All times are milliseconds. */
export interface CallOptions {
  /**
   * Aborting it stops the calls: what has not begun is cancelled; `currentTask().signal` of what runs aborts, and when
   * the task has not ended `grace` later, its worker is ended. The Futures reject with the signal's reason.
   */
  signal?: AbortSignal;
  /** How long a call may run, counted from when its task starts. Then its worker is ended at once: a {@linkcode TimeoutError}. */
  timeout?: number;
  /** How long a running task has to follow its aborted signal, before its worker is ended; 1000 by default. */
  grace?: number;
  /** Calls with a higher one begin before those that wait with a lower one; 0 by default, any number. */
  priority?: number;
  /** How often a call is run again when its worker was lost or its time was up, after a growing pause; 0 by default. */
  retries?: number;
  /** Errors of the task itself after which it is run again too, as far as `retries` goes; none by default. */
  retryOn?: (error: unknown) => boolean;
}

/** Call options, checked, as the calls of one with() share them. */
export class CallSettings {
  readonly options: CallOptions;
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly grace: number;
  readonly priority: number;
  readonly retries: number;
  readonly retryOn: ((error: unknown) => boolean) | undefined;
  /** The calls that the signal would stop. */
  readonly #calls = new Set<Call>();
  readonly #onAbort = () => {
    for (const call of [...this.#calls]) call.scheduler.abort(call, this.signal!.reason);
  };

  /**
   * @throws {TypeError} when an option is of the wrong kind.
   * @throws {RangeError} when a number is out of range.
   */
  constructor(options: CallOptions) {
    this.options = options;
    const action = "apply options to calls";
    if (typeof options !== "object" || options === null) {
      throw new TypeError(`Cannot ${action} as they must be an object: received ${show(options)}`);
    }
    const { signal, timeout, grace = 1000, priority = 0, retries = 0, retryOn } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new TypeError(`Cannot ${action} as 'signal' must be an AbortSignal: received ${show(signal)}`);
    }
    if (retryOn !== undefined && typeof retryOn !== "function") {
      throw new TypeError(`Cannot ${action} as 'retryOn' must be a function: received ${show(retryOn)}`);
    }
    this.signal = signal;
    this.timeout = atLeastZero("timeout", timeLimit(action, timeout));
    this.grace = atLeastZero("grace", grace);
    this.priority = number("priority", priority);
    this.retries = atLeastZero("retries", retries);
    if (!Number.isInteger(this.retries) && this.retries !== Infinity) {
      throw new RangeError(`Cannot ${action} as 'retries' must be an integer: received ${retries}`);
    }
    this.retryOn = retryOn;

    function atLeastZero(name: string, value: number): number {
      if (number(name, value) < 0) {
        throw new RangeError(`Cannot ${action} as '${name}' must be >= 0: received ${value}`);
      }
      return value;
    }
    function number(name: string, value: unknown): number {
      if (typeof value !== "number") {
        throw new TypeError(`Cannot ${action} as '${name}' must be a number: received ${show(value)}`);
      }
      if (Number.isNaN(value)) throw new RangeError(`Cannot ${action} as '${name}' must be a number: received NaN`);
      return value;
    }
  }

  /** Whether its calls run by themselves, so that each can be stopped without harm to another. */
  get limited(): boolean {
    return this.signal !== undefined || this.timeout !== Infinity || this.retries > 0;
  }

  /** A call that the signal stops from now on. */
  watch(call: Call): void {
    if (!this.signal) return;
    if (this.#calls.size === 0) this.signal.addEventListener("abort", this.#onAbort);
    this.#calls.add(call);
  }

  /** It is done. */
  unwatch(call: Call): void {
    if (this.#calls.delete(call) && this.#calls.size === 0) this.signal!.removeEventListener("abort", this.#onAbort);
  }
}
