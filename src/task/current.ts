// The task that runs in this worker: set by the worker's loop, read by currentTask().

/** What a task can know about its call. */
export interface CurrentTask {
  /**
   * Aborts when the signal of the call does (see {@linkcode CallOptions.signal}). It does not abort when the `timeout` of the
   * call is over: the worker is ended then.
   */
  readonly signal: AbortSignal;
  /** The worker's name, such as `"ThreadPoolExecutor-0_1"`. */
  readonly workerName: string;
  /** 1 for the first run of the call, 2 for its first retry, and so on. */
  readonly attempt: number;
}

// A registered symbol: a task's copy of this package finds what the worker's copy has set.
const CURRENT: unique symbol = Symbol.for("@concurrent/futures/current") as never;
const realm = globalThis as { [CURRENT]?: () => CurrentTask | undefined };

/** Sets how currentTask() finds the task that runs. */
export function setCurrentTask(current: () => CurrentTask | undefined): void {
  realm[CURRENT] = current;
}

/** The task that runs now; `undefined` outside of tasks. */
export function getCurrentTask(): CurrentTask | undefined {
  return realm[CURRENT]?.();
}
