// What Executor.with() asks of a call besides running it: to be stopped by a signal or after a time, and to be run again.
// A call without such options never comes here.

import { toFailure } from "../wire/failure.ts";
import type { Call, Limits } from "./call.ts";
import { TimeoutError } from "./errors.ts";
import { report } from "./report.ts";
import { startTimer } from "./timer.ts";

/** The pause before the first retry, in milliseconds; it doubles with each, up to the longest. */
const FIRST_PAUSE = 100, LONGEST_PAUSE = 30_000;

/** What the scheduler does for it. */
export interface SupervisorActions {
  /** Queues a call again. */
  requeue(call: Call): void;
  /** Ends the worker of a call and takes the call from it, then settles it. */
  stop(call: Call, settle: () => void): void;
  fail(call: Call, reason: unknown): void;
  cancel(call: Call, reason: unknown): void;
}

/** Watches over calls with options. */
export class Supervisor {
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

  /** A call is queued: its signal may stop it from now on. */
  watch(call: Call): void {
    call.limits?.settings.watch(call);
  }

  /** A call's task begins. */
  begun(call: Call): void {
    const limits = call.limits!, { timeout } = limits.settings;
    if (timeout === Infinity || limits.aborted) return;
    limits.deadline = performance.now() + timeout;
    limits.timer = startTimer(timeout, () => this.#expire(call));
  }

  /** The signal of a call that a worker has begun, or may have, has aborted. */
  abort(call: Call, reason: unknown): void {
    const limits = call.limits!;
    if (!call.worker || limits.aborted) return;
    limits.aborted = { reason };
    call.worker.channel.send({ kind: "abort", call: call.number, reason: toFailure(reason) }, []);
    limits.timer?.clear();
    const grace = Math.min(limits.settings.grace, limits.deadline - performance.now());
    limits.timer = startTimer(grace, () => this.#actions.stop(call, () => this.#actions.cancel(call, reason)));
  }

  /** A call has failed. Returns whether it is run again; `lost`: it was not by its task's own error. */
  retry(call: Call, reason: unknown, lost: boolean): boolean {
    const limits = call.limits!;
    if (limits.attempt > limits.settings.retries || !(lost || wanted(limits, reason))) return false;
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

  /** A call is done. */
  release(call: Call): void {
    call.limits?.timer?.clear();
    call.limits?.settings.unwatch(call);
  }

  #expire(call: Call): void {
    const { timeout } = call.limits!.settings;
    const error = new TimeoutError(`The task ran for more than ${timeout} ms and was stopped`);
    this.#actions.stop(call, () => this.#actions.fail(call, error));
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
