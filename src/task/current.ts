// The task that runs in this worker: set by the worker's loop, read by currentTask().

import type { CurrentTask } from "./running_task.ts";

// A registered symbol: a task's copy of this package finds what the worker's copy has set.
const CURRENT: unique symbol = Symbol.for("@concurrent/futures/current") as never;
const realm = globalThis as { [CURRENT]?: () => CurrentTask | undefined };

/** Sets how currentTask() finds the task that runs. */
export function setCurrentTask(current: () => CurrentTask | undefined): void {
  realm[CURRENT] = current;
}

/** What finds the task that runs, as it was set last. */
export function currentTaskFinder(): (() => CurrentTask | undefined) | undefined {
  return realm[CURRENT];
}

/** The task that runs now; `undefined` outside of tasks. */
export function getCurrentTask(): CurrentTask | undefined {
  return realm[CURRENT]?.();
}
