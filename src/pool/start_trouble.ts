// Whether the workers of an executor are any good: when they do not start, or end before they begin a call, more would not help.

import type { WorkerExit } from "../wire/channel.ts";
import type { LeftCall } from "./held_calls.ts";
import type { WorkerState } from "./worker_handle.ts";

/** Workers in a row that fail to start, or end before they begin their first call, until the executor is broken. */
const START_ATTEMPTS = 3;

/** Counts the workers that were of no use. */
export class StartTrouble {
  /** Workers in a row that could not be started. */
  #failedStarts = 0;
  /** Whether any worker could be started. */
  #hasStarted = false;
  /** Workers that ended before they began their first call, since any worker has answered. */
  #endedUnused = 0;

  /** A worker is up. */
  started(): void {
    this.#failedStarts = 0;
    this.#hasStarted = true;
  }

  /** A worker has answered a call. */
  answered(): void {
    this.#endedUnused = 0;
  }

  /**
   * A worker is gone.
   *
   * @param proven Whether it had answered a call.
   * @param exit How it ended.
   * @param was Its state before.
   * @param left The calls that it held.
   * @returns Why the executor has to break, if it has to.
   */
  gone(
    proven: boolean,
    exit: WorkerExit,
    was: WorkerState,
    left: readonly Pick<LeftCall, "begun">[],
  ): string | undefined {
    if (was === "starting") {
      // A worker that does not answer takes its time: a file from which none has started yet is not tried three times.
      const isHopeless = exit.inVain && !this.#hasStarted;
      return ++this.#failedStarts >= START_ATTEMPTS || isHopeless ? "Workers could not be started" : undefined;
    }
    const isUnused = was === "ready" && !proven && left.length > 0 &&
      left.every(({ begun }) => begun === false);
    return isUnused && ++this.#endedUnused >= START_ATTEMPTS ? "Workers end before they begin a call" : undefined;
  }
}
