// An executor's line to Redis: adds jobs, says that some are to be stopped, tells what becomes of those that were added.

import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { NewJob } from "./call_job.ts";
import { roomFor } from "../codec.ts";
import { connect, isConnectionError, opened, withoutCommand } from "../connection.ts";
import type { ClusterSettings } from "./options.ts";
import { Keys, LONGEST_NAME, readReply, type Reply } from "../protocol.ts";
import { endOfStream, StreamReader } from "../stream_reader.ts";

/** What an executor is told about its jobs. */
export interface LinkEvents {
  /** Whether it waits for what becomes of a job. */
  waitsFor(id: string): boolean;
  /** A host has taken it. */
  onTaken(id: string): void;
  /** No host has it any more: it was handed back, or its host was lost. */
  onReturned(id: string, lost: boolean): void;
  /** It is done, which nobody here waits for. */
  onEnded(id: string): void;
  /** It is done. `undefined`: by nothing that a host of ours would say. */
  onReply(id: string, reply: Reply | undefined): void;
  /** BullMQ has failed it. */
  onFailed(id: string, reason: string): void;
  /** It is not in Redis any more. */
  onRemoved(id: string): void;
  /** Connected again, or events may have been missed: everything has to be looked up. */
  onUncertain(): void;
}

/**
 * Events that are kept, at least. BullMQ's 10,000 are 2,500 jobs; a program that is busy for a second would miss some, and
 * would have to look up each of its jobs.
 */
const EVENTS = 100_000;

/** Stops that are kept, about: of those a host may be late for. */
const STOPS = 10_000;

/** The pause before a command is given again, in milliseconds. */
const PAUSE = 50;

/** Jobs that are looked up in one go. */
const LOOKUPS = 500;

/** The fields of a job that is not there. */
const GONE: readonly (string | null)[] = [null];

/**
 * Connects.
 *
 * @param settings Where to.
 * @param owner The executor's id.
 * @param events Who is told.
 * @throws {BrokenExecutor} (rejects) when Redis cannot be reached.
 */
export async function openLink(settings: ClusterSettings, owner: string, events: LinkEvents): Promise<Link> {
  const redis = connect(settings.connection);
  try {
    await opened(redis, settings.connectTimeout);
    // Whatever happens to a job that is added from now on comes after this.
    const from = await endOfStream(redis, new Keys(settings.prefix, settings.queue).events);
    return new Link(settings, owner, events, redis, from);
  } catch (error) {
    redis.disconnect();
    throw withoutCommand(error);
  }
}

/** The line. */
export class Link {
  readonly #settings: ClusterSettings;
  readonly #events: LinkEvents;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #reader: StreamReader;
  readonly #owner: string;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  /** Made by {@linkcode openLink}. `from` is where the events of its jobs begin. */
  constructor(settings: ClusterSettings, owner: string, events: LinkEvents, redis: Redis, from: string) {
    this.#settings = settings;
    this.#events = events;
    this.#owner = owner;
    this.#keys = new Keys(settings.prefix, settings.queue);
    this.#redis = redis;
    this.#queue = new Queue(settings.queue, {
      connection: redis,
      prefix: settings.prefix,
      streams: { events: { maxLen: EVENTS } },
    });
    this.#queue.on("error", () => {}); // those of commands arrive there, those of the connection are waited out
    const reader = connect(settings.connection);
    this.#reader = new StreamReader(reader, this.#keys.events, from, (fields) => this.#onEntry(fields));
    redis.on("ready", () => events.onUncertain());
    if (settings.orphans === "cancel") this.#live();
  }

  /** Adds jobs. Those that are there already stay as they are. */
  async add(jobs: readonly NewJob[]): Promise<void> {
    const age = Math.ceil(this.#settings.keepJobs / 1000);
    const entries = jobs.map(({ id, data, priority }) => ({
      name: `${data.module}.${data.name}`,
      data,
      opts: { jobId: id, removeOnComplete: { age }, removeOnFail: { age }, priority },
    }));
    const [{ name, data, opts }] = entries as [typeof entries[number]];
    // addBulk() takes 0.05 ms longer for one than add(), a twentieth of its round trip.
    await this.#insist<unknown>(() =>
      entries.length > 1 ? this.#queue.addBulk(entries) : this.#queue.add(name, data, opts)
    );
  }

  /** Takes a job back, or stops it when it has been taken. */
  async stop(id: string): Promise<void> {
    await this.#insist(async () => {
      // Zero: a host has it.
      if (await this.#queue.remove(id) === 0) {
        await this.#redis.xadd(this.#keys.stops, "MAXLEN", "~", STOPS, "*", "job", id);
      }
    });
  }

  /** Finds out what has become of jobs, and tells. */
  async lookUp(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += LOOKUPS) {
      const slice = ids.slice(from, from + LOOKUPS);
      const found = await this.#insist(async () => {
        const pipeline = this.#redis.pipeline();
        for (const id of slice) {
          pipeline.hmget(this.#keys.job(id), "timestamp", "finishedOn", "returnvalue", "failedReason", "processedOn");
        }
        const answers = await pipeline.exec();
        return answers!.map(([error, fields]) => {
          if (error && isConnectionError(error)) throw error;
          return error ? GONE : fields as (string | null)[]; // what is there is no job
        });
      });
      if (!found) return;
      slice.forEach((id, i) => {
        const [timestamp, finished, returned, failed, processed] = found[i]!;
        if (timestamp === null) this.#events.onRemoved(id);
        else if (finished && typeof failed === "string") this.#events.onFailed(id, failed);
        else if (finished) void this.#reply(id, returned ?? null);
        else if (processed) this.#events.onTaken(id);
      });
    }
  }

  /** Notices what the events do not say. */
  async check(): Promise<void> {
    this.#reader.check();
    if (this.#redis.status !== "ready") return;
    const [first] = await this.#redis.xrange(this.#keys.events, "-", "+", "COUNT", 1);
    if (this.#reader.missed(first?.[0])) this.#events.onUncertain();
  }

  /** For questions about the queue as a whole. */
  get queue(): Queue {
    return this.#queue;
  }

  /** For commands of one's own. */
  get redis(): Redis {
    return this.#redis;
  }

  get keys(): Keys {
    return this.#keys;
  }

  /** Ends the line. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#reader.end();
    try {
      if (this.#heartbeat && this.#redis.status === "ready") await this.#redis.del(this.#keys.owner(this.#owner));
      await this.#queue.close();
    } catch {
      // It is gone: that is what was wanted.
    }
    this.#redis.disconnect();
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
    if (event === "active") this.#events.onTaken(id);
    else if (event === "completed") void this.#reply(id, value);
    else if (event === "failed") this.#events.onFailed(id, value ?? "");
    else if (event === "stalled") this.#events.onReturned(id, true);
    else if (event === "waiting" && before === "active") this.#events.onReturned(id, false);
    else if (event === "removed") this.#events.onRemoved(id);
  }

  /** Passes a reply on, which may have to be fetched first. What is for others, as most is, is not looked at. */
  async #reply(id: string, json: string | null): Promise<void> {
    if (!this.#events.waitsFor(id)) return this.#events.onEnded(id);
    let reply = readReply(json);
    if (reply && "stored" in reply) {
      reply = readReply(await this.#stored(id));
      if (this.#closed) return;
    }
    this.#events.onReply(id, reply);
  }

  /** What was stored as a reply. Its text is in JSON once more, where a character takes three bytes at most. */
  async #stored(id: string): Promise<string | undefined> {
    try {
      const longest = 3 * roomFor(this.#settings.maxPayload) + LONGEST_NAME;
      return await this.#insist(() => this.#redis.getrange(this.#keys.reply(id), 0, longest));
    } catch {
      return undefined; // it is no text
    }
  }

  /** Gives a command until it has arrived. It must be one that may be given twice. `undefined` when the line was closed. */
  async #insist<T>(command: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await command();
      } catch (error) {
        if (this.#closed) return undefined;
        if (!isConnectionError(error)) throw withoutCommand(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        await opened(this.#redis, Infinity);
      }
    }
  }

  /** Says that the executor lives, for as long as it does. */
  #live(): void {
    const { orphanTimeout } = this.#settings;
    const beat = () => void this.#redis.set(this.#keys.owner(this.#owner), "1", "PX", orphanTimeout).catch(() => {});
    beat();
    this.#heartbeat = setInterval(beat, orphanTimeout / 3);
    (this.#heartbeat as unknown as { unref?(): void }).unref?.();
  }
}
