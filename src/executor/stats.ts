// What Executor.stats() tells.

/** What an executor is doing: all counts. */
export interface ExecutorStats {
  /** Workers that are starting or up. */
  readonly workers: number;
  /** Workers that wait for a call. */
  readonly idle: number;
  /** Workers that have one. */
  readonly busy: number;
  /** Calls that no worker has begun. */
  readonly queued: number;
  /** Calls that a worker has begun. */
  readonly running: number;
  /** Calls whose task has returned. */
  readonly completed: number;
  /** Calls whose task has thrown, or that could not be run. */
  readonly failed: number;
  /** Calls that were cancelled. */
  readonly cancelled: number;
  /** Workers that ended without being asked to. */
  readonly lost: number;
  /** Workers that could not be stopped and were left to themselves. */
  readonly abandoned: number;
}
