// What Executor.stats() tells.

/** What became of an executor's calls: counts. */
export interface CallStats {
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
  /** Workers that ended without being asked to; of a cluster, losses of a host with a call of this executor. */
  readonly lost: number;
}

/** What the workers of this program do: counts. */
export interface WorkerStats {
  /** Workers that are starting or up. */
  readonly workers: number;
  /** Workers that wait for a call. */
  readonly idle: number;
  /** Workers that have a call. */
  readonly busy: number;
  /** Workers that could not be stopped and were left to themselves. */
  readonly abandoned: number;
}

/** What an executor with workers of its own is doing. */
export interface ExecutorStats extends CallStats, WorkerStats {}
