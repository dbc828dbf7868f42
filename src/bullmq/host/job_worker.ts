// BullMQ's worker, made fit for jobs that anybody may have written, and for hosts that lose one.

import { type Job, type JobJson, type JobsOptions, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { longestBlock } from "../connection.ts";
import { isRefusal } from "../insist.ts";
import { KEEP_JOBS, SHORTEST_KEEP } from "../queue_options.ts";
import { wakeWorker } from "./hand_back.ts";

/** The pause after Redis has refused that a job is done, in milliseconds. */
const PAUSE = 500;

/** Stands for data that is malformed or too long: it is no call. */
const NOTHING = "{}";

/** The time of a job whose hash was gone when a host took its id: BullMQ (6.7) writes into it that the job is active. */
export const LOST = 0;

/**
 * Says whether the queue is empty, and then takes back what wakes workers: BullMQ (6.7) leaves that behind with each job that it
 * gives out, as there may be more.
 */
const NOTHING_LEFT = `
for _, key in ipairs({KEYS[2], KEYS[3], KEYS[4]}) do
  if redis.call("EXISTS", key) == 1 then return 0 end
end
redis.call("ZREM", KEYS[1], "0")
return 1`;

/** A job, and how long it stays when it is finished, in milliseconds: its call says so, or it does by default. */
export interface KeptJob extends Job {
  keep: number;
}

/** How BullMQ's worker (6.7) gets its jobs. */
interface Fetching {
  /** Whether the queue was empty when it was asked last: then the worker waits to be woken. */
  drained: boolean;
  /** Set while it waits, and while it takes the job for which it was woken. */
  readonly waiting: Promise<number> | null;
}

/** Takes jobs from a queue. */
export class JobWorker extends Worker {
  /** How long the data of a job may be, in characters. */
  longest: number = Infinity;
  /** Whether the host has as many calls as it may have. */
  isFull: () => boolean = () => false;

  /**
   * Makes a job of what Redis has, of which any field may be missing or malformed. Only what a call needs is taken over: BullMQ
   * believes the rest, such as when to repeat the job, and one cron pattern of thirty characters takes it a second.
   */
  protected override createJob(raw: JobJson, id: string): KeptJob {
    const { data, opts } = raw;
    const known: JobJson = {
      id: raw.id,
      name: raw.name,
      data: typeof data === "string" && data.length <= this.longest ? data : NOTHING,
      opts: {}, // so BullMQ removes no jobs when this one is finished: see cleaner.ts
      progress: 0,
      timestamp: raw.timestamp || (raw.name === undefined ? LOST : 1),
      attemptsMade: raw.attemptsMade || 0,
      attemptsStarted: raw.attemptsStarted || 0,
      stalledCounter: raw.stalledCounter || 0,
      ...(raw.processedOn ? { processedOn: raw.processedOn } : undefined),
      failedReason: "",
      returnvalue: "null", // BullMQ (6.7) parses it; to fail at "" takes it a tenth of what a trivial call takes a host
    };
    const job = this.#make(known, id) as KeptJob;
    job.keep = keep(opts.removeOnComplete);
    return job;
  }

  #make(known: JobJson, id: string): Job {
    try {
      return super.createJob(known, id);
    } catch {
      return super.createJob({ ...known, data: NOTHING }, id);
    }
  }

  /**
   * Takes the next job. When it was the only one, nothing more is asked for until there is another: BullMQ (6.7) asks twice, in
   * vain, and that is a third of what a call that is awaited before the next takes the host.
   *
   * Leaves the job to another host when this one has no room for it any more. It had some when it began to wait.
   */
  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    const fetching = this as unknown as Fetching;
    if (!fetching.waiting) return await super.moveToActive(token, name);
    const { marker, wait, prioritized, delayed } = this.keys, redis = this.opts.connection as Redis;
    if (this.isFull()) {
      await wakeWorker(redis, marker!).catch(() => {}); // others look by themselves within seconds
      return undefined!;
    }
    const taken = super.moveToActive(token, name);
    await undefined; // BullMQ sends its command in between: this one goes with it, and comes after it
    const left = redis.eval(NOTHING_LEFT, 4, marker!, wait!, prioritized!, delayed!).catch(() => 0);
    const job = await taken;
    if (await left === 1) fetching.drained = true;
    return job;
  }

  /** Whether the queue was empty when Redis was asked last. */
  get isDrained(): boolean {
    return (this as unknown as Fetching).drained;
  }

  /** How long Redis is asked to wait for a job, in seconds; BullMQ (6.7) has it wait for five, and for ten before a delayed one. */
  protected override getBlockTimeout(blockUntil: number): number {
    return Math.min(super.getBlockTimeout(blockUntil), longestBlock(this.opts.connection as Redis) / 1000);
  }

  /**
   * Says in Redis that a job is done; again and again while Redis refuses, as when it is full, unless the host closes or the
   * job's lock runs out. BullMQ (6.7) would fail the job, whose task has returned, with what Redis said.
   */
  protected override async handleCompleted(...args: Parameters<Worker["handleCompleted"]>): Promise<Job> {
    for (;;) {
      try {
        return await super.handleCompleted(...args);
      } catch (error) {
        if (!isRefusal(error) || this.closing) throw error;
        this.emit("error", error as Error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }

  /** Leaves a job alone that Redis has not taken: it is delivered again when its lock runs out. */
  protected override async handleFailed(...args: Parameters<Worker["handleFailed"]>): Promise<Job> {
    if (isRefusal(args[0])) return undefined!; // there is no next job
    return await super.handleFailed(...args);
  }

  /**
   * Renews the locks of jobs. BullMQ (6.7) emits an error without a class or code for each id that is returned here: none is,
   * as a job whose lock is lost is another host's by now, which is no error.
   */
  override async extendJobLocks(ids: string[], tokens: string[], duration: number): Promise<string[]> {
    await super.extendJobLocks(ids, tokens, duration);
    return [];
  }
}

/** How long a finished job stays, in milliseconds. The option of BullMQ, in seconds, says it: older hosts leave it to BullMQ. */
function keep(option: JobsOptions["removeOnComplete"]): number {
  const age: unknown = typeof option === "object" && option !== null && "age" in option ? option.age : undefined;
  if (!Number.isSafeInteger(age)) return KEEP_JOBS;
  return Math.min(Math.max((age as number) * 1000, SHORTEST_KEEP), Number.MAX_SAFE_INTEGER);
}
