// Which task runs in this worker now: written by the loop, read by currentTask().

/** What a task can know about itself. */
export interface CurrentTask {
  /** Aborts when the signal of the call does. A call whose time is up is ended without. */
  readonly signal: AbortSignal;
  /** The worker's name, such as `"ThreadPoolExecutor-0_1"`. */
  readonly workerName: string;
  /** 1 for the first run of the call, 2 for the first retry, and so on. */
  readonly attempt: number;
}

// A registered symbol, so that a task's copy of this package finds what the worker's copy has put there.
const CURRENT: unique symbol = Symbol.for("@concurrent/futures/current") as never;
const realm = globalThis as { [CURRENT]?: () => CurrentTask | undefined };

/** For the worker's loop: how to tell the task that runs now. */
export function setCurrentTask(current: () => CurrentTask | undefined): void {
  realm[CURRENT] = current;
}

/** The task that runs now, or none. */
export function getCurrentTask(): CurrentTask | undefined {
  return realm[CURRENT]?.();
}
