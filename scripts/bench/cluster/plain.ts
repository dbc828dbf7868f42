// BullMQ by hand, and the tasks run where its Worker does, in its own thread: there is nothing else that it could do by itself.

import { open, serveBy } from "./by_hand.ts";
import * as tasks from "./tasks.ts";

export { open };

/** The side that runs them. */
export function serveTasks(url: string, queue: string, workers: number): Promise<void> {
  return serveBy((task, arg) => tasks[task](arg), url, queue, workers);
}
