// BullMQ by hand, and the tasks run in bare threads, one message there and one back: what it takes at least that a task
// keeps nobody from renewing locks, which is what the executor's hosts promise.

import { open as openThreads } from "../contenders/bare.ts";
import { open, serveBy } from "./by_hand.ts";
import { roundsOf } from "./tasks.ts";

export { open };

/** The side that runs them. */
export async function serveTasks(url: string, queue: string, workers: number): Promise<void> {
  const threads = await openThreads({ workers, kind: "threads" });
  const run = (task: string, arg: number) =>
    task === "work" ? threads.submit("work", roundsOf(arg)) : threads.submit("increment", arg);
  await serveBy(run, url, queue, workers);
}
