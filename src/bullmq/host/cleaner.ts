// Removes what is left of finished jobs, whether or not others are finished. Each call says how long its job stays: the job's
// hash then expires by itself, also when no host is left. Hosts take its id out of BullMQ's sets, remove the oldest jobs when
// there are too many, and trim the streams. BullMQ itself would remove jobs only when others are finished, and all of them as
// the last one says.

import type { Redis } from "ioredis";
import { isRefusal } from "../insist.ts";
import { KEYED, type Keys } from "../protocol.ts";
import { KEEP_JOBS, SHORTEST_KEEP } from "../queue_options.ts";

/** How long one host is the cleaner, in milliseconds: less than a heartbeat. */
const TURN = 4500;

/** Number of ids in one step: it takes Redis (7.0) about a millisecond, and nobody else is served meanwhile. */
const PAGE = 500;

/** Maximum number of steps in a turn: at the head of a set, where most of what is over is, and further on. */
const HEAD_STEPS = 100, OTHER_STEPS = 10;

/** Maximum number of jobs that a host remembers until it can say how long they stay. The others stay as long as by default. */
const MOST_FINISHED = 100_000;

/** How long BullMQ's events and the stops stay, in milliseconds: executors and hosts that come back later look for themselves. */
const KEEP_EVENTS = 60_000, KEEP_STOPS = 600_000;

/** Says how long finished jobs stay. A job of that id may be a new one by now, which waits. */
const KEEP = `
for i = 1, #KEYS do
  if redis.call("HEXISTS", KEYS[i], "finishedOn") == 1 then redis.call("PEXPIRE", KEYS[i], ARGV[i]) end
end`;

/**
 * Cleans a page of a set of finished jobs: removes the ids of those that have expired, and the first ones if there are too many
 * and they are old enough. Jobs of which nobody has said how long they stay do so by default. Returns how many ids the page
 * had, how many are left of them, and how many were too many.
 */
const CLEAN = `
local set, prefix, from, size = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local excess, before, keep = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local keyed, reply = ARGV[7], ARGV[8]
local ids = redis.call("ZRANGE", set, from, from + size - 1, "WITHSCORES")
local gone, removed = {}, 0
for i = 1, #ids, 2 do
  local id, isOld, job = ids[i], tonumber(ids[i + 1]) < before, prefix .. ids[i]
  if type(redis.pcall("HGET", job, "finishedOn")) ~= "string" then
    gone[#gone + 1] = id -- it has expired, or it is another job by now
  elseif removed < excess and isOld and string.sub(id, 1, #keyed) ~= keyed then
    redis.call("DEL", job, job .. ":logs", reply .. id)
    gone[#gone + 1] = id
    removed = removed + 1
  elseif isOld and redis.call("PTTL", job) == -1 then
    redis.call("PEXPIRE", job, keep)
  end
end
if #gone > 0 then redis.call("ZREM", set, unpack(gone)) end
return { #ids / 2, #ids / 2 - #gone, removed }`;

/** What a step of cleaning has found. */
interface Page {
  readonly seen: number;
  readonly left: number;
  readonly removed: number;
}

/** Cleans a queue, together with the other hosts. */
export class Cleaner {
  readonly #hostId: string;
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #keepCount: number;
  /** Jobs that this host has finished, by their ids, and how long they stay, in milliseconds. */
  #finished = new Map<string, number>();
  /** Where to go on in each set. */
  readonly #positions = new Map<string, number>();
  #cleaning = false;

  /**
   * @param hostId The host's id.
   * @param redis A connection.
   * @param keys The queue's keys.
   * @param keepCount How many finished jobs stay at most. Those with a key, and those of the last minute, stay all the same.
   */
  constructor(hostId: string, redis: Redis, keys: Keys, keepCount: number) {
    this.#hostId = hostId;
    this.#redis = redis;
    this.#keys = keys;
    this.#keepCount = keepCount;
  }

  /** This host has finished a job, which stays for `keep` milliseconds: soon, and not at once, that is said to Redis. */
  finished(id: string, keep: number): void {
    if (this.#finished.size < MOST_FINISHED) this.#finished.set(id, keep);
  }

  /** Says how long the jobs stay that were finished here. */
  async keep(): Promise<void> {
    const jobs = [...this.#finished];
    this.#finished = new Map();
    for (let from = 0; from < jobs.length; from += PAGE) {
      const slice = jobs.slice(from, from + PAGE);
      await this.#redis.eval(
        KEEP,
        slice.length,
        ...slice.map(([id]) => this.#keys.job(id)),
        ...slice.map(([, keep]) => keep),
      );
    }
  }

  /** Cleans, unless another host does. */
  async clean(): Promise<void> {
    if (this.#cleaning) return;
    this.#cleaning = true;
    try {
      await this.keep();
      if (!await this.#isCleaner()) return;
      const { finished, events, stops } = this.#keys;
      for (const set of finished) await this.#cleanSet(set);
      // The ids of entries have the time of Redis, whose clock may not be that of the host.
      const now = Number((await this.#redis.time())[0]) * 1000;
      await this.#redis.xtrim(events, "MINID", "~", now - KEEP_EVENTS);
      await this.#redis.xtrim(stops, "MINID", "~", now - KEEP_STOPS);
    } finally {
      this.#cleaning = false;
    }
  }

  async #isCleaner(): Promise<boolean> {
    try {
      return await this.#redis.set(this.#keys.cleaner, this.#hostId, "PX", TURN, "NX") !== null;
    } catch (error) {
      if (isRefusal(error)) return true; // a full Redis takes no more keys; that two hosts clean does no harm
      throw error;
    }
  }

  async #cleanSet(set: string): Promise<void> {
    let excess = Math.max(await this.#redis.zcard(set) - this.#keepCount, 0), from = 0;
    // The first were finished first, and most calls stay for the same time.
    for (let step = 0; step < HEAD_STEPS; step++) {
      const { seen, left, removed } = await this.#cleanPage(set, from, excess);
      excess -= removed;
      from += left;
      if (seen < PAGE || left === seen) break;
    }
    // What has expired elsewhere is found in turn.
    from = Math.max(this.#positions.get(set) ?? 0, from);
    for (let step = 0; step < OTHER_STEPS; step++) {
      const { seen, left, removed } = await this.#cleanPage(set, from, excess);
      excess -= removed;
      from = seen < PAGE ? 0 : from + left;
      if (seen < PAGE) break;
    }
    this.#positions.set(set, from);
  }

  async #cleanPage(set: string, from: number, excess: number): Promise<Page> {
    const before = Date.now() - SHORTEST_KEEP;
    const args = [this.#keys.jobs, from, PAGE, excess, before, KEEP_JOBS, KEYED, this.#keys.reply("")];
    const counts = await this.#redis.eval(CLEAN, 1, set, ...args) as readonly [number, number, number];
    const [seen, left, removed] = counts;
    return { seen, left, removed };
  }
}
