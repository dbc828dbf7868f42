// Which task runs in this worker now: written by the loop, read by currentTask().

import type { CurrentTask } from "./current_task.ts";

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
