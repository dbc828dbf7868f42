// BullMQ's worker, which believes a job in Redis: what it schedules next, how its repetition is counted, what it says that has
// failed. Of ours nothing of that is true, so that none of it is read: a cron pattern of thirty characters may take a second.

import { type Job, type JobJson, type JobsOptions, Worker } from "bullmq";
import { KEEP_JOBS } from "../queue_options.ts";

/** In place of data that is no JSON, or too long: no call. */
const NOTHING = "{}";

/** Takes jobs from a queue. */
export class JobWorker extends Worker {
  /** How long the data of a job may be, in characters. */
  longest: number = Infinity;

  /** Makes the job of what is in Redis, of which anything may be missing, or something else. */
  protected override createJob({ data, opts, ...raw }: JobJson, id: string): Job {
    const known: JobJson = {
      id: raw.id,
      name: raw.name,
      data: typeof data === "string" && data.length <= this.longest ? data : NOTHING,
      opts: { removeOnComplete: keep(opts.removeOnComplete), removeOnFail: keep(opts.removeOnFail) },
      progress: 0,
      timestamp: raw.timestamp || 0,
      attemptsMade: raw.attemptsMade || 0,
      attemptsStarted: raw.attemptsStarted || 0,
      stalledCounter: raw.stalledCounter || 0,
      ...(raw.processedOn ? { processedOn: raw.processedOn } : undefined),
      failedReason: "",
      returnvalue: "",
    };
    try {
      return super.createJob(known, id);
    } catch {
      return super.createJob({ ...known, data: NOTHING }, id);
    }
  }
}

/** How long a job stays when it is done. */
function keep(option: JobsOptions["removeOnComplete"]): { age: number } {
  const age: unknown = typeof option === "object" && option !== null && "age" in option ? option.age : undefined;
  return { age: Number.isSafeInteger(age) && (age as number) >= 0 ? age as number : KEEP_JOBS / 1000 };
}
