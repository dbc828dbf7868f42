// BullMQ as its users use it by hand: jobs are added in bulk, a QueueEvents says what became of them. No executor.

import { Queue, QueueEvents, Worker } from "bullmq";
import type { Client } from "./contender.ts";
import type { TaskName } from "./tasks.ts";

/** Finished jobs are removed by age, as the executor does it. */
const OPTIONS = { removeOnComplete: { age: 3600 }, removeOnFail: { age: 3600 } };

/** Jobs in one addBulk: more in one go is slower, as Redis answers nobody else meanwhile. */
const BULK = 1_000;

/** The side that adds jobs and awaits them. */
export async function open(url: string, name: string): Promise<Client> {
  // By default the stream of events keeps 10,000 entries, four for each job: a reader who is slower misses some, and waits
  // for ever. As many as the executor keeps are enough for all cases.
  const queue = new Queue(name, { connection: { url }, streams: { events: { maxLen: 100_000 } } });
  // It is "ready" before it reads. What came before the queue's first job is nothing, so it can begin there.
  const events = new QueueEvents(name, { connection: { url }, lastEventId: "0-0" });
  const waiting = new Map<string, (value: unknown) => void>();
  events.on("completed", ({ jobId, returnvalue }) => {
    waiting.get(jobId)?.(returnvalue);
    waiting.delete(jobId);
  });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  let last = 0;
  const job = (task: string, arg: unknown) => {
    const jobId = `job-${last++}`;
    const done = new Promise<unknown>((resolve) => waiting.set(jobId, resolve));
    return { done, entry: { name: task, data: { arg }, opts: { jobId, ...OPTIONS } } };
  };
  return {
    async one(task, arg) {
      const { done, entry } = job(task, arg);
      await queue.add(entry.name, entry.data, entry.opts);
      return await done;
    },
    async many(task, args) {
      const jobs = args.map((arg) => job(task, arg));
      const added: Promise<unknown>[] = [];
      for (let from = 0; from < jobs.length; from += BULK) {
        added.push(queue.addBulk(jobs.slice(from, from + BULK).map(({ entry }) => entry)));
      }
      await Promise.all(added);
      return await Promise.all(jobs.map(({ done }) => done));
    },
    async close() {
      await Promise.all([queue.close(), events.close()]);
    },
  };
}

/** The side that runs them. */
export async function serveBy(
  run: (task: TaskName, arg: number) => unknown,
  url: string,
  name: string,
  workers: number,
): Promise<void> {
  const worker = new Worker(name, (job) => Promise.resolve(run(job.name as TaskName, job.data.arg)), {
    connection: { url },
    // Fetching takes longer than the shortest tasks: with only as many as there are workers, it would be far slower.
    concurrency: workers === 1 ? 1 : 100,
  });
  await worker.waitUntilReady();
}
