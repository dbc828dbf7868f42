// Calls that this host cannot run and another one may: it has an older version of their module, or cannot load it any more.

import type { Redis } from "ioredis";
import { readHostsById } from "../hosts.ts";
import type { JobData, Keys } from "../protocol.ts";

/** How often a call is handed back by hosts that cannot run it. What hosts say about themselves may be wrong. */
const MOST_REFUSALS = 500;

/**
 * How long a call that was handed back waits, in milliseconds, how much longer each time, and at most: the first fifteen times
 * take two seconds together, as hosts that cannot run it may outnumber those that can. Later, those are busy.
 */
const FIRST_DELAY = 20, GROWTH = 1.25, LONGEST_DELAY = 1000;

/** How long Redis remembers who has handed back a call, in milliseconds. */
const MEMORY = 600_000;

/** How often a module may fail to load, one time after the other, until the host takes no more calls. */
const MOST_FAILURES = 3;

/** Hands calls on to other hosts. */
export class Refusals {
  readonly #hostId: string;
  readonly #redis: Redis;
  readonly #keys: Keys;
  /** How often modules have failed to load since they were last loaded. */
  readonly #failures = new Map<string, number>();

  constructor(hostId: string, redis: Redis, keys: Keys) {
    this.#hostId = hostId;
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Notes that this host cannot run a call.
   *
   * @param jobId The id of its job.
   * @param data The call.
   * @param isBroken Whether only this host is the reason, as a module that it has served fails to load: then the call waits for
   * another one, even if none is known.
   * @returns How long the job has to wait before the next host may take it, in milliseconds; `undefined` when no other host is
   * left that serves the module, or the call was handed back too often.
   */
  async refuse(jobId: string, { module }: JobData, isBroken: boolean): Promise<number | undefined> {
    const key = this.#keys.refusals(jobId);
    const [hosts, answers] = await Promise.all([
      readHostsById(this.#redis, this.#keys),
      this.#redis.multi().hincrby(key, this.#hostId, 1).pexpire(key, MEMORY).hgetall(key).exec(),
    ]);
    const refused = answers![2]![1] as Record<string, string>;
    const count = Object.values(refused).reduce((sum, times) => sum + Number(times), 0);
    const others = [...hosts].filter(([id, { tasks }]) => !Object.hasOwn(refused, id) && tasks.includes(module));
    // When this host is not known, Redis has lost what hosts say about themselves, and they say it again within seconds.
    const mayServe = isBroken || others.length > 0 || !hosts.has(this.#hostId);
    if (!mayServe || count > MOST_REFUSALS) return undefined;
    return Math.min(Math.round(FIRST_DELAY * GROWTH ** (count - 1)), LONGEST_DELAY);
  }

  /** A module has failed to load. Returns whether that goes on. */
  failed(module: string): boolean {
    const failures = (this.#failures.get(module) ?? 0) + 1;
    this.#failures.set(module, failures);
    return failures >= MOST_FAILURES;
  }

  /** A task of a module was run. */
  loaded(module: string): void {
    if (this.#failures.size > 0) this.#failures.delete(module);
  }
}
