// The options of Executor.with(): what they may be, checks, and the settings that calls share.

import {
  checkDuration,
  checkFunction,
  checkNumber,
  checkOptions,
  checkSignal,
  optionNames,
  refuseRange,
} from "../wire/check.ts";
import { type Abortable, unwatchSignal, watchSignal } from "../future/signal.ts";

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

/** The names of the options of a call. */
export const CALL_OPTIONS = optionNames<CallOptions>({
  signal: true,
  timeout: true,
  grace: true,
  priority: true,
  retries: true,
  retryOn: true,
});

/** What cannot be done with wrong options, for messages. */
const ACTION = "apply options to calls";

/**
 * Reads the options of with().
 *
 * @param options What the caller gave.
 * @param before Settings that hold where an option is not given, or `undefined`.
 * @param known The names of the options that there are.
 * @throws {TypeError} when an option is unknown or of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 */
export function readCallOptions(
  options: CallOptions,
  before?: CallSettings,
  known: readonly string[] = CALL_OPTIONS,
): CallSettings {
  checkOptions(ACTION, options, known);
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

  /** Has the signal stop a call, from now until {@linkcode unwatch}. */
  watch(call: Abortable): void {
    if (this.signal) watchSignal(this.signal, call);
  }

  /** Ends {@linkcode watch}: the call is done. */
  unwatch(call: Abortable): void {
    if (this.signal) unwatchSignal(this.signal, call);
  }
}
