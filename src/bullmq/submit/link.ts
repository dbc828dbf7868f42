// An executor's link to Redis: adds jobs, has jobs stopped, and tells what becomes of those that were added.

import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { NewJob } from "./call_job.ts";
import { roomFor } from "../codec.ts";
import { Insistence } from "../insist.ts";
import { background } from "../background.ts";
import { answered, connect, opened } from "../connection.ts";
import type { ClusterSettings } from "./options.ts";
import { Keys, LONGEST_NAME, readReply, type Reply } from "../protocol.ts";
import { endOfStream, StreamReader } from "../stream_reader.ts";

/** What a link tells about jobs. */
export interface LinkEvents {
  /** Whether the executor waits for a job. */
  waitsFor(id: string): boolean;
  /** Whether the executor waits for anything. */
  isWaiting(): boolean;
  /** A host has the job. */
  onActive(id: string): void;
  /** No host has the job any more: its host handed it back, or was lost. */
  onReturned(id: string, lost: boolean): void;
  /** A job that the executor does not wait for is done. */
  onEnded(id: string): void;
  /** A job is done. The reply is `undefined` when its return value is not one of our replies. */
  onReply(id: string, reply: Reply | undefined): void;
  /** BullMQ has failed the job. */
  onFailed(id: string, reason: string): void;
  /** Somebody has removed the job. */
  onRemoved(id: string): void;
  /** These jobs are not in Redis, and nothing was said of them. It was asked at `since`, by `performance.now()`. */
  onMissing(ids: readonly string[], since: number): void;
  /** Events may have been missed: all jobs must be looked up. */
  onUncertain(): void;
  /** The connection to Redis was lost, and is made anew. */
  onReconnecting(): void;
}

/**
 * Minimum number of events that Redis keeps. BullMQ's default of 10,000 is 2,500 jobs: a program that is busy for a second would
 * miss some, and would have to look up each of its jobs.
 */
const EVENTS = 100_000;

/** About how many stops Redis keeps, for hosts that are late. */
const STOPS = 10_000;

/** Maximum number of jobs in one look-up. */
const LOOKUPS = 500;

/** The fields of a job that is not in Redis. */
const GONE: readonly (string | null)[] = [null];

/**
 * Opens a link.
 *
 * @param settings The executor's settings.
 * @param owner The executor's id.
 * @param events Called with what becomes of jobs.
 * @throws {BrokenExecutor} (rejects) when Redis cannot be reached.
 */
export async function openLink(settings: ClusterSettings, owner: string, events: LinkEvents): Promise<Link> {
  const redis = connect(settings.connection);
  const insistence = new Insistence(redis, settings.connectTimeout, settings.notices);
  try {
    await opened(redis, settings.connectTimeout);
    // The events of jobs that are added from now on come after this position.
    const { events: key } = new Keys(settings.prefix, settings.queue);
    const from = await answered(
      redis,
      settings.connectTimeout,
      insistence.repeat(() => endOfStream(redis, key)),
    );
    return new Link(settings, owner, events, redis, from!);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** The link of one executor; {@linkcode openLink} opens it. */
export class Link {
  readonly #settings: ClusterSettings;
  readonly #events: LinkEvents;
  /** The queue's keys. */
  readonly keys: Keys;
  /** The connection, also for commands of others. */
  readonly redis: Redis;
  /** BullMQ's queue, also to ask about it as a whole. */
  readonly queue: Queue;
  readonly #reader: StreamReader;
  readonly #owner: string;
  /** Says in Redis that the executor lives; none when nobody asks. */
  #beat: (() => void) | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  readonly #insistence: Insistence;
  /** Jobs that are done, and whose stored reply is on its way. */
  readonly #fetching = new Set<string>();
  #closed = false;
  /** When Redis answered last, by `performance.now()`. */
  heard: number = performance.now();

  /** `from` is the position in the stream of events after which to read. */
  constructor(settings: ClusterSettings, owner: string, events: LinkEvents, redis: Redis, from: string) {
    this.#settings = settings;
    this.#events = events;
    this.#owner = owner;
    this.keys = new Keys(settings.prefix, settings.queue);
    this.redis = redis;
    this.#insistence = new Insistence(redis, settings.redisTimeout, settings.notices);
    this.queue = new Queue(settings.queue, {
      connection: redis,
      prefix: settings.prefix,
      streams: { events: { maxLen: EVENTS } },
    });
    this.queue.on("error", () => {}); // a command rejects with its own error, and the connection comes back
    const reader = connect(settings.connection);
    this.#reader = new StreamReader(
      reader,
      this.keys.events,
      from,
      (fields) => this.#onEntry(fields),
      (error) => settings.notices.error(error),
      () => events.isWaiting(),
    );
    redis.on("ready", () => {
      this.heard = performance.now();
      events.onUncertain();
    });
    redis.on("reconnecting", () => events.onReconnecting());
    if (settings.orphans === "cancel") this.#live();
  }

  /**
   * Adds jobs. A job whose id is there already stays as it is.
   *
   * @param jobs The jobs.
   * @param onAttempt Given each attempt: Redis may carry out the last one even if this rejects before it is settled.
   * @throws {RedisRefusedError} (rejects) when Redis has refused for too long.
   */
  async add(jobs: readonly NewJob[], onAttempt: (attempt: Promise<unknown>) => void): Promise<void> {
    this.#reader.wake(this.redis);
    const age = Math.ceil(this.#settings.keepJobs / 1000);
    const entries = jobs.map(({ id, data, priority, delayed }) => ({
      name: `${data.module}.${data.name}`,
      data,
      opts: { jobId: id, removeOnComplete: { age }, removeOnFail: { age }, priority, ...delayed },
    }));
    let repeated = false;
    const attempt = async () => {
      // After a refusal some may be there and done, and some may have been cancelled.
      const now = repeated ? entries.filter(({ opts }) => this.#events.waitsFor(opts.jobId)) : entries;
      repeated = true;
      this.#beat?.(); // Redis may have lost what says that the executor lives, and a host may take the jobs at once
      const [first, second] = now;
      if (!first) return;
      // For one job addBulk() takes 0.05 ms more than add(), a twentieth of the round trip.
      return second ? await this.queue.addBulk(now) : await this.queue.add(first.name, first.data, first.opts);
    };
    await this.#insistence.offer<unknown>(() => {
      const begun = attempt();
      onAttempt(begun);
      return begun;
    });
  }

  /** Which of these jobs are in Redis. Asks once; rejects when Redis does not tell. */
  async present(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const pipeline = this.redis.pipeline();
    for (const id of ids) pipeline.exists(this.keys.job(id));
    const answers = await this.#insistence.within(pipeline.exec());
    return new Set(ids.filter((_, i) => {
      const [error, count] = answers![i]!;
      if (error) throw error;
      return count === 1;
    }));
  }

  /** Whether a job is in Redis. */
  async has(id: string): Promise<boolean> {
    const present = await this.#insistence.repeat(() => this.present([id]));
    return present !== undefined && present.size > 0;
  }

  /** Removes a job, or tells its host to stop it. */
  async stop(id: string): Promise<void> {
    await this.#insistence.repeat(async () => {
      // It removes none if a host has the job.
      if (await this.queue.remove(id) === 0) {
        await this.redis.xadd(this.keys.stops, "MAXLEN", "~", STOPS, "*", "job", id);
      }
    });
  }

  /** Reads the state of jobs, and tells it as events. */
  async lookUp(ids: readonly string[]): Promise<void> {
    this.#reader.wake(this.redis);
    for (let from = 0; from < ids.length; from += LOOKUPS) {
      const slice = ids.slice(from, from + LOOKUPS);
      let since = 0;
      const found = await this.#insistence.repeat(async () => {
        since = performance.now();
        const pipeline = this.redis.pipeline();
        for (const id of slice) {
          pipeline.hmget(this.keys.job(id), "timestamp", "finishedOn", "returnvalue", "failedReason", "processedOn");
        }
        const answers = await pipeline.exec();
        return answers!.map(([error, fields]) => {
          if (!error) return fields as (string | null)[];
          if (error.message.startsWith("WRONGTYPE ")) return GONE; // the key holds something other than a job
          throw error; // whether the job is there, nobody knows
        });
      });
      if (!found) return;
      const missing: string[] = [];
      slice.forEach((id, i) => {
        const [timestamp, finished, returned, failed, processed] = found[i]!;
        if (timestamp === null) missing.push(id);
        else if (finished && typeof failed === "string") this.#events.onFailed(id, failed);
        else if (finished) this.#onDone(id, returned ?? null);
        else if (processed) this.#events.onActive(id);
      });
      if (missing.length > 0) await this.#miss(missing, since);
    }
  }

  /** A job can be done and removed before its end is read: a host's clock may be wrong by hours. */
  async #miss(ids: readonly string[], since: number): Promise<void> {
    await this.#insistence.repeat(() => this.#reader.catchUp(this.redis));
    const missing = ids.filter((id) => !this.#fetching.has(id) && this.#events.waitsFor(id));
    if (missing.length > 0 && !this.#closed) this.#events.onMissing(missing, since);
  }

  /** Checks that the connection lives, and that no event was missed. */
  async check(): Promise<void> {
    this.#reader.check();
    if (this.redis.status !== "ready") return;
    const [first] = await this.redis.xrange(this.keys.events, "-", "+", "COUNT", 1).finally(() => {
      if (this.redis.status === "ready") this.heard = performance.now(); // an error is an answer, too
    });
    if (this.#reader.missed(first?.[0])) this.#events.onUncertain();
  }

  /** Connects anew, and sooner than after `socketTimeout`. */
  reconnect(): void {
    if (this.redis.status === "ready") this.redis.disconnect(true);
  }

  /** Closes the link. Commands that still wait resolve with `undefined`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#insistence.end();
    clearInterval(this.#heartbeat);
    this.#reader.end();
    try {
      if (this.redis.status === "ready") {
        await answered(this.redis, this.#settings.connectTimeout, this.#leave());
      }
    } catch {
      // The connection is lost, and was to be closed.
    }
    this.redis.disconnect();
  }

  async #leave(): Promise<void> {
    if (this.#heartbeat) await this.redis.del(this.keys.owner(this.#owner));
    await this.queue.close();
  }

  #onEntry(fields: readonly string[]): void {
    let event = "", id = "", value: string | null = null, before = "";
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i], text = fields[i + 1]!;
      if (name === "event") event = text;
      else if (name === "jobId") id = text;
      else if (name === "returnvalue" || name === "failedReason") value = text;
      else if (name === "prev") before = text;
    }
    if (event === "active") this.#events.onActive(id);
    else if (event === "completed") this.#onDone(id, value);
    else if (event === "failed") this.#events.onFailed(id, value ?? "");
    else if (event === "stalled") this.#events.onReturned(id, true);
    else if (event === "waiting" && before === "active") this.#events.onReturned(id, false);
    else if (event === "delayed") this.#events.onReturned(id, false); // a host that cannot run it
    else if (event === "removed") this.#events.onRemoved(id);
  }

  #onDone(id: string, json: string | null): void {
    background(this.#reply(id, json), (error) => this.#settings.notices.error(error));
  }

  /** Tells a reply; fetches it if it was stored. The replies of other executors, most of them, are not even read. */
  async #reply(id: string, json: string | null): Promise<void> {
    if (!this.#events.waitsFor(id)) return this.#events.onEnded(id);
    let reply = readReply(json);
    if (reply && "stored" in reply) {
      this.#fetching.add(id);
      const since = performance.now();
      const stored = await this.#stored(id).finally(() => this.#fetching.delete(id));
      const isLost = stored === "" && await this.#insistence.repeat(() => this.redis.exists(this.keys.job(id))) === 0;
      if (this.#closed) return;
      if (isLost) return this.#events.onMissing([id], since);
      reply = readReply(stored);
    }
    this.#events.onReply(id, reply);
  }

  /** The stored reply of a job, empty when there is none. Its text is in JSON once more, where a character takes at most three bytes. */
  async #stored(id: string): Promise<string | undefined> {
    try {
      const longest = 3 * roomFor(this.#settings.maxPayload) + LONGEST_NAME;
      return await this.#insistence.repeat(() => this.redis.getrange(this.keys.reply(id), 0, longest));
    } catch {
      return undefined; // the key holds something other than text
    }
  }

  /** Says in Redis that the executor lives, until the link is closed. */
  #live(): void {
    const { orphanTimeout } = this.#settings;
    const beat = () => void this.redis.set(this.keys.owner(this.#owner), "1", "PX", orphanTimeout).catch(() => {});
    beat();
    this.#beat = beat;
    this.redis.on("ready", beat);
    this.#heartbeat = setInterval(beat, orphanTimeout / 3);
    (this.#heartbeat as unknown as { unref?(): void }).unref?.();
  }
}
