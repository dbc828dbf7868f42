// The options of Executor.with(): checks, defaults, and the settings that the calls of a view share.

import {
  checkDuration,
  checkFunction,
  checkNumber,
  checkOptions,
  checkPositiveInteger,
  checkSignal,
  optionNames,
  refuseRange,
} from "../wire/check.ts";
import type { Future } from "../future/future.ts";
import { unwatchSignal, watchSignal } from "../future/signal.ts";
import type { Member, Scope } from "./scope.ts";

/** Options of {@linkcode Executor.with}, for each call that is submitted through the view. */
export interface CallOptions {
  /**
   * Stops the calls when it aborts. A call that has not begun is cancelled. For one that runs, `currentTask().signal`
   * aborts; if the task has not ended `grace` later, its worker is ended. The Future rejects with the signal's reason,
   * unless the task still returns a result.
   *
   * @default none
   */
  signal?: AbortSignal | undefined;
  /**
   * Time in milliseconds that a call may run, counted from when its task starts. Then its worker is ended at once, and the
   * Future rejects with a {@linkcode TaskTimeoutError}.
   *
   * @default Infinity
   */
  timeout?: number | undefined;
  /**
   * Time in milliseconds that a running task has to end after its signal has aborted, before its worker is ended.
   *
   * @default 1000
   */
  grace?: number | undefined;
  /**
   * Order in the queue: calls of a higher priority begin first. Any number.
   *
   * @default 0
   */
  priority?: number | undefined;
  /**
   * How often a call is run again, after a growing pause, when its worker was lost or its `timeout` was over. A stream is run
   * again only as long as it has yielded nothing, and read nothing of its arguments.
   *
   * @default 0
   */
  retries?: number | undefined;
  /**
   * Tells for an error of the task itself whether the call is run again, too, as far as `retries` goes.
   *
   * @default no error is retried
   */
  retryOn?: ((error: unknown) => boolean) | undefined;
  /**
   * Called with each value that a task reports by `currentTask().report()` (see {@linkcode CurrentTask}), in order, all of them
   * before the Future is done, and with the Future of its call. A call of `map` has such a Future for this alone: nobody has to
   * look at its failure, and it cannot be cancelled. An error of the callback is written to `console.error` and has no other
   * effect.
   *
   * @default reports are not sent
   */
  // A method, so that a callback may name the types that its task reports and returns, which the executor does not know.
  onReport?: { call(value: unknown, future: Future<unknown>): unknown }["call"] | undefined;
  /**
   * Number of values that the task of a {@linkcode Executor.stream} may yield ahead of the loop that reads them: beyond, it is
   * paused at its `yield`. So many items of an async iterable among its arguments are read ahead of the task, too. Other
   * calls have one result, and no use for it.
   *
   * @default 16
   */
  buffersize?: number | undefined;
}

/** The names of the options of a call. */
export const CALL_OPTIONS = optionNames<CallOptions>({
  signal: true,
  timeout: true,
  grace: true,
  priority: true,
  retries: true,
  retryOn: true,
  onReport: true,
  buffersize: true,
});

/** What cannot be done with wrong options, for messages. */
const ACTION = "apply options to calls";

/**
 * Reads the options of with().
 *
 * @param options What the caller gave.
 * @param before Settings that hold where an option is not given, or `undefined`.
 * @param known The names of the options that there are.
 * @throws {TypeError} when an option is unknown or of the wrong type.
 * @throws {RangeError} when a number is out of range.
 */
export function readCallOptions(
  options: CallOptions,
  before?: CallSettings,
  known: readonly string[] = CALL_OPTIONS,
): CallSettings {
  checkOptions(ACTION, options, known);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return new CallSettings({ ...before?.options, ...Object.fromEntries(given) }, before?.scope);
}

/** Call options, checked and with defaults: the calls of a view share them. */
export class CallSettings {
  readonly options: CallOptions;
  /** The group that the calls belong to. */
  readonly scope: Scope | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly grace: number;
  readonly priority: number;
  readonly retries: number;
  readonly retryOn: ((error: unknown) => boolean) | undefined;
  readonly onReport: CallOptions["onReport"];
  readonly buffersize: number;

  /**
   * @throws {TypeError} when an option is of the wrong type.
   * @throws {RangeError} when a number is out of range.
   */
  constructor(options: CallOptions, scope?: Scope) {
    const { signal, timeout = Infinity, grace = 1000, priority = 0, retries = 0, retryOn, onReport, buffersize = 16 } =
      options;
    checkSignal(ACTION, "signal", signal);
    checkDuration(ACTION, "timeout", timeout);
    checkDuration(ACTION, "grace", grace);
    checkNumber(ACTION, "priority", priority);
    checkDuration(ACTION, "retries", retries);
    if (!Number.isInteger(retries) && retries !== Infinity) refuseRange(ACTION, "retries", "an integer", retries);
    checkFunction(ACTION, "retryOn", retryOn);
    checkFunction(ACTION, "onReport", onReport);
    checkPositiveInteger(ACTION, "buffersize", buffersize);
    this.options = options;
    this.scope = scope;
    this.signal = signal;
    this.timeout = timeout;
    this.grace = grace;
    this.priority = priority;
    this.retries = retries;
    this.retryOn = retryOn;
    this.onReport = onReport;
    this.buffersize = buffersize;
  }

  /** Whether a signal or a group may stop the calls. */
  get stoppable(): boolean {
    return this.signal !== undefined || this.scope !== undefined;
  }

  /** Whether each call has a worker for itself, so that stopping it does not harm another. */
  get limited(): boolean {
    return this.stoppable || this.timeout !== Infinity || this.retries > 0;
  }

  /** Why calls are cancelled before they are queued: the signal, or the group, has aborted. */
  get aborted(): { readonly reason: unknown } | undefined {
    return this.signal?.aborted ? this.signal : this.scope?.aborted;
  }

  /** Has the signal and the group stop a call, from now until {@linkcode unwatch}. */
  watch(call: Member): void {
    this.scope?.add(call);
    if (this.signal) watchSignal(this.signal, call);
  }

  /** Ends {@linkcode watch}: the call is done. */
  unwatch(call: Member): void {
    if (this.signal) unwatchSignal(this.signal, call);
    this.scope?.remove(call);
  }
}
