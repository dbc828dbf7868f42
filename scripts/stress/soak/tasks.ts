// What the workers of a soak are given when an inline task will not do.

import { currentTask } from "../../../src/task/current_task.ts";

/** Reports so many doubled numbers, or objects with them; returns how many. Then it waits for its end, if it is to be stopped. */
export async function tell(count: number, objects: boolean, stopped: boolean): Promise<number> {
  const { report } = currentTask();
  for (let n = 0; n < count; n++) {
    report(objects ? { value: 2 * n } : 2 * n);
    if (n % 100 === 99) await new Promise<void>((resolve) => setTimeout(resolve));
  }
  if (stopped) await new Promise(() => {});
  return count;
}
