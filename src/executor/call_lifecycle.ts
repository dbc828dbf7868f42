// What becomes of calls. Each ends by exactly one of fulfil(), reject() and cancel(). Those of Executor.with() are stopped by
// a signal or after a time, and may be run again first.

import type { Call, Limits } from "./call.ts";
import { TimeoutError } from "../future/errors.ts";
import { report } from "../report.ts";
import { startTimer } from "../future/timer.ts";

/**
 * How much longer than its time limit a call has from when it is handed over, in milliseconds: its worker says when it begins,
 * but what an earlier task has left there may keep it from that. An idle worker begins at once; a busy machine may be late.
 */
const BEGIN_MARGIN = 3000;

/** The pause before the first retry, in milliseconds; it doubles with each, up to the longest. */
const FIRST_PAUSE = 100, LONGEST_PAUSE = 30_000;

const NONE: readonly unknown[] = [];

/** What the scheduler does for it. */
export interface SupervisorActions {
  /** Whether a call that is queued again can be run. */
  canRun(): boolean;
  /** Queues a call again. */
  requeue(call: Call): void;
  /** Ends the worker of a call and takes the call from it, then settles it. */
  stop(call: Call, settle: () => void): void;
}

/** Why a call fails: its task's own error, or the loss of its worker, or for good. Only the first two may be run again. */
export type FailureKind = "thrown" | "lost" | "final";

/** Watches over calls. */
export class Supervisor {
  completed = 0;
  failed = 0;
  cancelled = 0;
  readonly #actions: SupervisorActions;
  /** Calls that pause before they are run again. */
  readonly #resting = new Set<Call>();

  constructor(actions: SupervisorActions) {
    this.#actions = actions;
  }

  /** How many calls pause before they are run again. */
  get resting(): number {
    return this.#resting.size;
  }

  /** A call's task has returned. */
  fulfil(call: Call, value: unknown): void {
    this.completed++;
    this.#release(call);
    call.fulfil(value);
  }

  /** A call has failed, unless it is run again. */
  reject(call: Call, reason: unknown, kind: FailureKind): void {
    if (call.limits?.aborted) return this.cancel(call, call.limits.aborted.reason);
    if (call.limits && this.#retries(call, call.limits, reason, kind)) return;
    this.failed++;
    this.#release(call);
    call.reject(reason);
  }

  /** A call is cancelled. */
  cancel(call: Call, reason: unknown): void {
    this.withdrawn(call);
    call.cancel(reason);
  }

  /** A call was taken back for its owner to cancel. */
  withdrawn(call: Call): void {
    this.cancelled++;
    this.#release(call);
  }

  /** A call was handed to a worker. */
  handed(call: Call): void {
    const limits = call.limits!, { timeout } = limits.settings;
    if (timeout === Infinity || limits.aborted || !call.worker) return;
    limits.timer = startTimer(timeout + BEGIN_MARGIN, () => this.#expire(call));
  }

  /** A call's task begins. */
  begun(call: Call): void {
    const limits = call.limits!, { timeout } = limits.settings;
    // A worker that says it twice gives the call no more time.
    if (timeout === Infinity || limits.aborted || limits.deadline !== Infinity) return;
    limits.timer?.clear();
    limits.deadline = performance.now() + timeout;
    limits.timer = startTimer(timeout, () => this.#expire(call));
  }

  /** The signal of a call that a worker has begun, or may have, has aborted. */
  abort(call: Call, reason: unknown): void {
    const limits = call.limits!;
    if (!call.worker || limits.aborted) return;
    limits.aborted = { reason };
    call.worker.abort(call, reason);
    limits.timer?.clear();
    const grace = Math.min(limits.settings.grace, limits.deadline - performance.now());
    limits.timer = startTimer(grace, () => this.#actions.stop(call, () => this.cancel(call, reason)));
  }

  #retries(call: Call, limits: Limits, reason: unknown, kind: FailureKind): boolean {
    if (kind === "final" || limits.attempt > limits.settings.retries) return false;
    if (kind === "thrown" && !wanted(limits, reason)) return false;
    if (!call.wanted || !this.#actions.canRun()) return false; // asked after retryOn, which may have ended everything
    call.worker = undefined;
    limits.timer?.clear();
    limits.deadline = Infinity;
    // Half of it by chance: calls that failed together do not come back together.
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (limits.attempt - 1)) * (0.5 + Math.random() / 2);
    limits.attempt++;
    this.#resting.add(call);
    limits.timer = startTimer(pause, () => {
      if (this.wake(call)) this.#actions.requeue(call);
    });
    return true;
  }

  /** Ends the pause of a call, if it has one. */
  wake(call: Call): boolean {
    if (!this.#resting.delete(call)) return false;
    call.limits!.timer?.clear();
    return true;
  }

  /** Ends all pauses. */
  wakeAll(): Call[] {
    return [...this.#resting].filter((call) => this.wake(call));
  }

  /** A call is done: nothing is kept for it. */
  #release(call: Call): void {
    call.args = NONE;
    call.worker = undefined;
    if (!call.limits) return;
    call.limits.timer?.clear();
    call.limits.settings.unwatch(call);
  }

  #expire(call: Call): void {
    const { timeout } = call.limits!.settings;
    const error = new TimeoutError(`The task ran for more than ${timeout} ms and was stopped`);
    this.#actions.stop(call, () => this.reject(call, error, "lost"));
  }
}

function wanted({ settings }: Limits, reason: unknown): boolean {
  try {
    return settings.retryOn?.(reason) ?? false;
  } catch (error) {
    report("Exception calling", "retryOn", error);
    return false;
  }
}
