import { BullMQExecutor as Executor } from "@concurrent/futures/bullmq";
// The line above and what the executor is told are all that differs from ../word_count/threads.ts and processes.ts.

import { type Counted, type Job, mapReduce } from "../word_count/map_reduce.ts";

/** The queue that the hosts serve. */
export const QUEUE = "word_count";

/** Does the whole job on the hosts that serve the queue. */
export async function countAll(job: Job, redis: string): Promise<Counted> {
  await using executor = new Executor({ queue: QUEUE, connection: { url: redis } });
  return await mapReduce(executor, job);
}
