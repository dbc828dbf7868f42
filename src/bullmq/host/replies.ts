// What a host answers: makes the replies to jobs, counts them, and puts the long ones where only their executor reads them.

import type { Redis } from "ioredis";
import { countFailed } from "../../executor/stats.ts";
import { encode, encodeFailure, tooLong } from "../codec.ts";
import { type AnsweredFailure, answeredFailure } from "../errors.ts";
import { Insistence } from "../insist.ts";
import { Durations } from "../metrics.ts";
import { type FailureReply, type ItemReply, type Keys, LONG_REPLY, type Reply } from "../protocol.ts";
import type { Outcome } from "./chunk_run.ts";
import { isOfExecutor } from "./host_errors.ts";
import type { KeptJob } from "./job_worker.ts";
import type { ServeSettings } from "./serve_options.ts";

/** Makes the replies of one host. Each item of a chunk counts as the call that it is. */
export class Replies {
  /** Calls whose task has returned. */
  completed = 0;
  /** Calls whose task has thrown, or that could not be run, by why. */
  readonly failedBy: Record<AnsweredFailure, number> = { task: 0, lost: 0, timeout: 0, host: 0 };
  /** How long calls took whose task has returned or thrown, from the local executor's point of view; a chunk is one here. */
  readonly durations: Durations = new Durations();
  readonly #settings: ServeSettings;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #insistence: Insistence;

  constructor(settings: ServeSettings, keys: Keys, redis: Redis) {
    this.#settings = settings;
    this.#keys = keys;
    this.#redis = redis;
    this.#insistence = new Insistence(redis, Infinity, settings.notices);
  }

  /** Calls whose task has thrown, or that could not be run. */
  get failed(): number {
    return countFailed(this.failedBy);
  }

  /** The reply with a result. Throws when that cannot be sent. */
  success(value: unknown): Reply {
    const ok = encode(value, this.#settings.maxPayload);
    this.completed++;
    return { ok };
  }

  /** The reply with a failure: of one call, or of all `calls` of a chunk. */
  failure(error: unknown, by: "task" | "host", calls: number = 1): FailureReply {
    this.failedBy[answeredFailure(by, error)] += calls;
    return this.#record(error, by);
  }

  /** The reply to a chunk. Its items have the room of one call. */
  each(outcomes: readonly Outcome[]): Reply {
    const { maxPayload } = this.#settings;
    let room = maxPayload;
    const each = outcomes.map((outcome): ItemReply => {
      try {
        const by = outcome.status === "rejected" && isOfExecutor(outcome.reason) ? "host" : "task";
        const reply = outcome.status === "fulfilled"
          ? encode(outcome.value, maxPayload)
          : this.#record(outcome.reason, by);
        const { length } = textOf(reply);
        if (length > room) throw tooLong("that is among the results of a chunk, all of them together", maxPayload);
        room -= length;
        if (outcome.status === "fulfilled") this.completed++;
        else this.failedBy[answeredFailure(by, outcome.reason)]++;
        return reply;
      } catch (error) {
        return this.failure(error, "task"); // it cannot be sent, or there is no room for it
      }
    });
    return { each };
  }

  #record(error: unknown, by: "task" | "host"): FailureReply {
    return { failure: encodeFailure(error, this.#settings.maxPayload), by };
  }

  /**
   * Puts a long reply under a key of its own, so that only its executor downloads it; again and again while Redis refuses, as
   * when it is full. It stays as long as its job. Returns what the job returns, `undefined` when Redis has not taken the reply until the end.
   */
  async store({ id, keep }: KeptJob, reply: Reply): Promise<Reply | undefined> {
    if (lengthOf(reply) < LONG_REPLY) return reply;
    const json = JSON.stringify(reply), key = this.#keys.reply(id!);
    const stored = await this.#insistence.repeat(() => this.#redis.set(key, json, "PX", keep));
    return stored && { stored: true };
  }

  /** The host closes: nothing is tried again. */
  end(): void {
    this.#insistence.end();
  }
}

function lengthOf(reply: Reply): number {
  if ("each" in reply) return reply.each.reduce((sum, item) => sum + textOf(item).length, 0);
  return "ok" in reply ? reply.ok.length : "failure" in reply ? reply.failure.length : 0;
}

function textOf(reply: ItemReply): string {
  return typeof reply === "string" ? reply : reply.failure;
}
