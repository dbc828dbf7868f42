// What becomes of a call: fulfil(), reject() or cancel() settles it, exactly once. A call of Executor.with() can be stopped by
// a signal or its time limit, and can be run again before it is settled.

import type { Call, CallProgress } from "./call.ts";
import type { QueueEntry } from "./call_queue.ts";
import { TaskTimeoutError } from "../future/errors.ts";
import { report } from "../report.ts";
import { startTimer } from "../future/timer.ts";
import { type CallStats, countFailed, type FailureCounts } from "./stats.ts";

/**
 * How much longer than its time limit a call may take after it was handed over, in milliseconds. The limit itself starts when
 * the worker says that it begins the call, and leftovers of an earlier task can keep the worker from that. An idle worker
 * begins at once, but a busy machine may be late.
 */
const BEGIN_MARGIN = 3000;

/** The pause before the first retry, in milliseconds; it doubles with each, up to the longest. */
const FIRST_PAUSE = 100, LONGEST_PAUSE = 30_000;

const NONE: readonly unknown[] = [];

/** Why a call fails, as {@linkcode FailureCounts} says. */
export type FailureKind = keyof FailureCounts;

/** Calls settled so far. */
interface Settled {
  completed: number;
  cancelled: number;
  /** Those that have failed; it has the kinds that the engine knows. */
  readonly failedBy: { -readonly [Kind in keyof FailureCounts]: FailureCounts[Kind] };
}

/** Settles, stops and retries calls; an engine extends it, and says how a call is queued and how its worker is ended. */
export abstract class CallLifecycle {
  /** Whether a call is run again here when its worker is lost, or its time was up. */
  protected readonly retriesLost: boolean = true;
  protected readonly settled: Settled = {
    completed: 0,
    cancelled: 0,
    failedBy: { task: 0, lost: 0, timeout: 0, unsendable: 0, broken: 0 },
  };
  /** Calls that pause before they are run again. */
  readonly #resting = new Set<Call>();

  /** Whether a queued call will run. */
  protected abstract get canRun(): boolean;
  /** Queues calls that were admitted, or one that is run again. */
  abstract submit(entry: QueueEntry<Call>): void;
  /** Ends the worker of a call and takes the call from it, then settles it. */
  protected abstract stop(call: Call, settle: () => void): void;

  /** How many calls pause before they are run again. */
  protected get resting(): number {
    return this.#resting.size;
  }

  /** Calls settled so far, for Executor.stats(). */
  protected countSettled(): Pick<CallStats, "completed" | "failed" | "cancelled" | "failedBy"> {
    const { failedBy, ...others } = this.settled;
    return { ...others, failed: countFailed(failedBy), failedBy: { ...failedBy } };
  }

  /** A call's task has returned. */
  fulfil(call: Call, value: unknown): void {
    this.settled.completed++;
    this.#release(call);
    call.fulfil(value);
  }

  /** A call has failed; it is rejected unless it is run again. */
  reject(call: Call, reason: unknown, kind: FailureKind): void {
    if (call.progress?.aborted) return this.cancel(call, call.progress.aborted.reason);
    if (call.progress && this.#retries(call, call.progress, reason, kind)) return;
    this.settled.failedBy[kind] = (this.settled.failedBy[kind] ?? 0) + 1;
    this.#release(call);
    call.reject(reason);
  }

  /** Cancels a call that no worker runs. */
  cancel(call: Call, reason: unknown): void {
    this.onWithdrawn(call);
    call.cancel(reason);
  }

  /** A call was withdrawn, and its owner cancels it. */
  protected onWithdrawn(call: Call): void {
    this.settled.cancelled++;
    this.#release(call);
  }

  /** A call was handed to a worker: starts its time limit, with a margin to begin in. */
  protected onHandedOver(call: Call): void {
    const progress = call.progress!, { timeout } = progress.settings;
    if (timeout === Infinity || progress.aborted || !call.worker) return;
    progress.timer = startTimer(timeout + BEGIN_MARGIN, () => this.#expire(call));
  }

  /** A worker begins a call: starts its time limit. */
  protected onBegun(call: Call): void {
    const progress = call.progress!, { timeout } = progress.settings;
    // A worker that says so twice does not give the call more time.
    if (timeout === Infinity || progress.aborted || progress.deadline !== Infinity) return;
    progress.timer?.clear();
    progress.deadline = performance.now() + timeout;
    progress.timer = startTimer(timeout, () => this.#expire(call));
  }

  /** Tells the task of a call that its signal has aborted, and stops the call unless it ends within its grace. */
  protected abortBegun(call: Call, reason: unknown): void {
    const progress = call.progress!;
    if (!call.worker || progress.aborted) return;
    progress.aborted = { reason };
    call.worker.abort(call, reason);
    progress.timer?.clear();
    const grace = Math.min(progress.settings.grace, progress.deadline - performance.now());
    progress.timer = startTimer(grace, () => this.stop(call, () => this.cancel(call, reason)));
  }

  #retries(call: Call, progress: CallProgress, reason: unknown, kind: FailureKind): boolean {
    if (progress.attempt > progress.settings.retries) return false;
    const isLost = kind === "lost" || kind === "timeout";
    if (kind === "task" ? !isRetryable(progress, reason) : !isLost || !this.retriesLost) return false;
    if (!call.wanted || !this.canRun) return false; // read after retryOn, which may have shut down the executor
    call.worker = undefined;
    progress.timer?.clear();
    progress.deadline = Infinity;
    // Half of the pause is random: calls that failed together do not come back together.
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (progress.attempt - 1)) * (0.5 + Math.random() / 2);
    progress.attempt++;
    this.#resting.add(call);
    progress.timer = startTimer(pause, () => {
      if (this.wake(call)) this.submit(call);
    });
    return true;
  }

  /** Ends the pause of a call; false when it has none. */
  protected wake(call: Call): boolean {
    if (!this.#resting.delete(call)) return false;
    call.progress!.timer?.clear();
    return true;
  }

  /** Ends all pauses; returns the calls. */
  protected *wakeAll(): Generator<Call> {
    for (const call of this.#resting) if (this.wake(call)) yield call;
  }

  /** Drops what was kept for a call that is done. */
  #release(call: Call): void {
    call.args = NONE;
    call.worker = undefined;
    if (!call.progress) return;
    call.progress.timer?.clear();
    call.progress.settings.unwatch(call);
  }

  #expire(call: Call): void {
    const error = timeoutError(call);
    this.stop(call, () => this.reject(call, error, "timeout"));
  }
}

function timeoutError({ task: { ref }, progress }: Call): TaskTimeoutError {
  const { deadline, settings: { timeout } } = progress!;
  const task = ref.kind === "export" ? `The task '${ref.name}'` : "The task";
  return new TaskTimeoutError(
    deadline === Infinity
      ? `${task} had not begun ${
        timeout + BEGIN_MARGIN
      } ms after its worker got it and was stopped (timeout: ${timeout} ms)`
      : `${task} ran for more than ${timeout} ms and was stopped`,
  );
}

function isRetryable({ settings }: CallProgress, reason: unknown): boolean {
  try {
    return settings.retryOn?.(reason) ?? false;
  } catch (error) {
    report("Exception calling", "retryOn", error);
    return false;
  }
}
