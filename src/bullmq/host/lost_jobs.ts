// Jobs that Redis has lost, evicted say, while their ids are still in its lists. They are no calls any more: nobody answers them,
// and their executors add them again.

import { ErrorCode, WaitingError } from "bullmq";
import type { Redis } from "ioredis";
import type { Notices } from "../notices.ts";
import type { Keys } from "../protocol.ts";

/**
 * Takes a lost job out of BullMQ's list of active ones, and removes what BullMQ (6.7) has written into its hash: with that, it
 * could not be added again. If it was added again already, that job stays.
 */
const DROP = `
if redis.call("HEXISTS", KEYS[1], "timestamp") == 0 then redis.call("DEL", KEYS[1]) end
return redis.call("LREM", KEYS[2], 1, ARGV[1])`;

/**
 * Leaves a lost job alone, and says so.
 *
 * @throws {WaitingError} (rejects) always: BullMQ leaves the job alone then, too.
 */
export async function dropJob(id: string, redis: Redis, keys: Keys, notices: Notices): Promise<never> {
  notices.error(jobsLost(), "lost");
  try {
    await redis.eval(DROP, 2, keys.job(id), keys.active, id);
  } catch {
    // A host takes it again when its lock has run out.
  }
  throw new WaitingError();
}

/** Whether BullMQ (6.7) has found no job to put a reply to. */
export function isJobGone(error: unknown): boolean {
  return (error as { code?: unknown }).code === ErrorCode.JobNotExist;
}

/** What a host says of lost jobs: not their ids, as it is said once for all of them. */
export function jobsLost(): Error {
  return new Error("Redis has lost jobs of calls; their executors add them again, if they may run again");
}
