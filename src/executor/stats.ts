// What Executor.stats() tells.

/** Why calls have failed: counts. */
export interface FailureCounts {
  /** Their task has thrown. */
  readonly task: number;
  /** Their worker has ended; of a cluster, their hosts or workers were lost, or Redis has lost the calls. */
  readonly lost: number;
  /** They ran longer than their `timeout`. */
  readonly timeout: number;
  /** A value cannot be sent: one of their arguments, or what their stream yields. */
  readonly unsendable: number;
  /** The executor is broken: it runs no calls any more. */
  readonly broken: number;
  /** Of a cluster: a host could not run them, such as one whose module does not have the task. */
  readonly host?: number;
  /** Of a cluster: no host has begun them within `expires`. */
  readonly expired?: number;
  /** Of a cluster: Redis did not take them. */
  readonly refused?: number;
}

/** How many calls have failed, for any reason. */
export function countFailed(counts: Partial<FailureCounts>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

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
  /** The same calls, by why they have failed. */
  readonly failedBy: FailureCounts;
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
