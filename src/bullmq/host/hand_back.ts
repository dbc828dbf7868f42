// Puts a job back into the queue, for another host.

import { DelayedError, type Job, WaitingError } from "bullmq";
import type { Redis } from "ioredis";
import type { Keys } from "../protocol.ts";

/**
 * Puts a job back.
 *
 * @param job The job.
 * @param token BullMQ's proof that this host has it.
 * @param delay How long it waits before the next host may take it, in milliseconds; `undefined` when it may at once.
 * @param redis A connection.
 * @param keys The queue's keys.
 * @throws {WaitingError} (rejects) or {DelayedError}: BullMQ leaves the job alone then.
 */
export async function handBack(
  job: Job,
  token: string,
  delay: number | undefined,
  redis: Redis,
  keys: Keys,
): Promise<never> {
  try {
    if (delay === undefined) {
      await job.moveToWait(token);
      // BullMQ (6.7) wakes nobody for a job with a priority, and an idle host would sleep on for up to ten seconds.
      await wakeWorker(redis, keys.marker);
    } else {
      await job.moveToDelayed(Date.now() + delay, token);
      // Hosts wait in line to be woken: one when the job is delayed, which takes it when it is due, and one for nothing then. So
      // hosts can keep getting the same part in turn, and one never gets the job: every now and then, one more is woken.
      if (Math.random() < 0.5) await wakeWorker(redis, keys.marker);
    }
  } catch {
    // Another host gets the job when its lock runs out.
  }
  throw delay === undefined ? new WaitingError() : new DelayedError();
}

/** Wakes a worker that waits for jobs, or the next one that will, by BullMQ's set for that. */
export async function wakeWorker(redis: Redis, marker: string): Promise<void> {
  await redis.zadd(marker, 0, "0");
}
