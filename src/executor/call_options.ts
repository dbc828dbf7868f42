// What Executor.with() applies to its calls: checks, and the one listener that a signal has for all calls of the program.

import { checkDuration, checkFunction, checkNumber, checkOptions, checkSignal, refuseRange } from "../wire/check.ts";

/** Options of the calls of {@linkcode Executor.with}. All times are milliseconds. */
export interface CallOptions {
  /**
   * Aborting it stops the calls: what has not begun is cancelled; `currentTask().signal` of what runs aborts, and when
   * the task has not ended `grace` later, its worker is ended. The Futures reject with the signal's reason, unless the
   * task returns a result nevertheless.
   */
  signal?: AbortSignal;
  /** How long a call may run, counted from when its task starts. Then its worker is ended at once: a {@linkcode TaskTimeoutError}. */
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

/** What a signal stops. */
interface Abortable {
  abort(reason: unknown): void;
}

/** The calls that a signal would stop, of whichever with() and executor. */
interface Watch {
  readonly calls: Set<Abortable>;
  readonly onAbort: () => void;
}

/**
 * One listener for each signal: an AbortSignal looks through all of its listeners for each that is added, so that a listener
 * for each with() of a program's one signal takes quadratic time. Weak: a signal that is gone needs none.
 */
const watches: WeakMap<AbortSignal, Watch> = new WeakMap();

/** What cannot be done with wrong options, for messages. */
const ACTION = "apply options to calls";

/**
 * Reads the options of with().
 *
 * @param options What the caller gave.
 * @param before Settings that hold where an option is not given, or `undefined`.
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 */
export function readCallOptions(options: CallOptions, before?: CallSettings): CallSettings {
  checkOptions(ACTION, options);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return new CallSettings({ ...before?.options, ...Object.fromEntries(given) });
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

  /**
   * @throws {TypeError} when an option is of the wrong kind.
   * @throws {RangeError} when a number is out of range.
   */
  constructor(options: CallOptions) {
    const { signal, timeout = Infinity, grace = 1000, priority = 0, retries = 0, retryOn } = options;
    checkSignal(ACTION, "signal", signal);
    checkDuration(ACTION, "timeout", timeout);
    checkDuration(ACTION, "grace", grace);
    checkNumber(ACTION, "priority", priority);
    checkDuration(ACTION, "retries", retries);
    if (!Number.isInteger(retries) && retries !== Infinity) refuseRange(ACTION, "retries", "an integer", retries);
    checkFunction(ACTION, "retryOn", retryOn);
    this.options = options;
    this.signal = signal;
    this.timeout = timeout;
    this.grace = grace;
    this.priority = priority;
    this.retries = retries;
    this.retryOn = retryOn;
  }

  /** Whether its calls run by themselves, so that each can be stopped without harm to another. */
  get limited(): boolean {
    return this.signal !== undefined || this.timeout !== Infinity || this.retries > 0;
  }

  /** A call that the signal stops from now on. */
  watch(call: Abortable): void {
    const { signal } = this;
    if (!signal) return;
    let watch = watches.get(signal);
    if (!watch) {
      const calls = new Set<Abortable>();
      const onAbort = () => {
        for (const call of [...calls]) call.abort(signal.reason);
      };
      watches.set(signal, watch = { calls, onAbort });
    }
    if (watch.calls.size === 0) signal.addEventListener("abort", watch.onAbort);
    watch.calls.add(call);
  }

  /** It is done. */
  unwatch(call: Abortable): void {
    const watch = this.signal && watches.get(this.signal);
    if (watch?.calls.delete(call) && watch.calls.size === 0) {
      this.signal!.removeEventListener("abort", watch.onAbort);
    }
  }
}
