// Commands that are repeated: Redis may be away for a while, and may refuse for a while.

import { type Redis, ReplyError } from "ioredis";
import { isConnectionError } from "./connection.ts";
import { RedisRefusedError } from "./errors.ts";
import type { Notices } from "./notices.ts";

/**
 * What Redis says when another attempt may succeed: it is full, a replica, without replicas, cannot save, busy with a script,
 * starting, moving slots, or was given another password. Versions before 7 say it in the error of a script.
 */
const REFUSAL =
  /(^|: -)(OOM|READONLY|NOREPLICAS|MISCONF|BUSY|LOADING|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|NOAUTH|WRONGPASS) |^ERR (invalid password|AUTH|Client sent AUTH)/;

/** The pause before a command is repeated, and the longest one, in milliseconds: it doubles while Redis refuses. */
const PAUSE = 50, LONGEST_PAUSE = 1000;

/** Whether Redis may take the command later. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof ReplyError)) return false;
  const { message, previousErrors } = error as Error & { readonly previousErrors?: unknown };
  return REFUSAL.test(message) || (Array.isArray(previousErrors) && previousErrors.some(isRefusal));
}

/** Repeats the commands of one connection. */
export class Insistence {
  readonly #redis: Redis;
  readonly #timeout: number;
  readonly #notices: Notices;
  /** Since when Redis refuses, by `performance.now()`. */
  #refusedSince: number | undefined;
  #ended = false;

  /**
   * @param redis The connection.
   * @param timeout How long Redis may refuse, in milliseconds.
   * @param notices Told when it refuses.
   */
  constructor(redis: Redis, timeout: number, notices: Notices) {
    this.#redis = redis;
    this.#timeout = timeout;
    this.#notices = notices;
    this.#listen();
  }

  /** Tells what Redis says to the client that connects, of its password say: commands wait until then, and hear nothing of it. */
  #listen(): void {
    let refused = false;
    this.#redis.on("error", (error) => {
      if (!isRefusal(error)) return;
      refused = true;
      this.#notices.error(error);
    });
    this.#redis.on("ready", () => {
      if (refused && this.#refusedSince === undefined) this.#notices.over();
      refused = false;
    });
  }

  /**
   * Repeats a command, which must do no harm twice, until Redis has taken it.
   *
   * @param command Gives the command.
   * @returns Its answer; `undefined` when the connection was ended meanwhile.
   * @throws {RedisRefusedError} (rejects) when Redis has refused for too long.
   * @throws {Error} (rejects) with any other error of the command.
   */
  async repeat<T>(command: () => Promise<T>): Promise<T | undefined> {
    for (let pause = PAUSE;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        const answer = await command();
        if (this.#refusedSince !== undefined) this.#accepted();
        return answer;
      } catch (error) {
        if (this.#ended) return undefined;
        if (isRefusal(error)) this.#refused(error as Error);
        // A command waits in the client until that is connected again.
        else if (!isConnectionError(error) || this.#redis.status === "end") throw error;
        else pause = PAUSE;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** From now on no command is repeated. */
  end(): void {
    this.#ended = true;
  }

  #accepted(): void {
    this.#refusedSince = undefined;
    this.#notices.over();
  }

  #refused(error: Error): void {
    this.#notices.error(error);
    this.#refusedSince ??= performance.now();
    if (performance.now() - this.#refusedSince < this.#timeout) return;
    const message = `Redis has not taken the call within ${this.#timeout} ms: ${error.message}`;
    throw new RedisRefusedError(message, { cause: error });
  }
}
