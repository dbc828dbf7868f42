import { ThreadPoolExecutor as Executor } from "@concurrent/futures/thread";
// The line above is all that differs between serial.ts, threads.ts and processes.ts.

import { beginWorker } from "./count_words.ts";
import { type Counted, type Job, mapReduce } from "./map_reduce.ts";

/** Does the whole job, from starting the workers to their end. */
export async function countAll(job: Job): Promise<Counted> {
  await using executor = new Executor({ maxWorkers: job.workers, initializer: beginWorker });
  return await mapReduce(executor, job);
}
