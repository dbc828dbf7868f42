// Commands that are repeated: Redis may be away for a while, and may refuse for a while.

import { type Redis, ReplyError } from "ioredis";
import { type Deferred, deferred } from "../future/deferred.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { background } from "./background.ts";
import { isConnectionError, isNotTrusted, notReady } from "./connection.ts";
import { RedisRefusedError } from "./errors.ts";
import { causeOf, type Notices } from "./notices.ts";

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

/** Whether it is the error of ioredis (6.0) when no Sentinel knows a server that is in charge. */
function isOfSentinels(error: Error): boolean {
  return error.message.startsWith("All sentinels are unreachable");
}

/** Whether no Sentinel was there: the next attempt may find one. Otherwise the error ends with the code and text of a reply. */
function isUnreached(error: Error): boolean {
  return isOfSentinels(error) && !/ Last error: [A-Z]+ /.test(error.message);
}

/** Repeats the commands of one connection. */
export class Insistence {
  readonly #redis: Redis;
  readonly #timeout: number;
  readonly #notices: Notices;
  /** Since when Redis refuses, by `performance.now()`. */
  #refusedSince: number | undefined;
  /** The last error of the connection, while that is not ready, if the next attempt need not do better: a refused password, say. */
  #lasting: Error | undefined;
  /** Resolves when the connection is ready, or there will be none any more. */
  #ready: Deferred<void> | undefined;
  /** Those who wait, and not for longer than Redis may refuse: each is given the error. */
  readonly #impatient = new Set<(error: Error) => void>();
  /** Runs while Redis is there, refuses to be used, and somebody is impatient. */
  #patience: Timer | undefined;
  /** What those get who come after it has run out, until Redis is ready, or away. */
  #refusal: RedisRefusedError | undefined;
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

  /** Tells what Redis says to the client that connects, of its password say: no command is under way then that would hear of it. */
  #listen(): void {
    let refused = false;
    this.#redis.on("error", (error) => {
      if (!isRefusal(error) && !isNotTrusted(error) && !isOfSentinels(error)) return this.#isAway();
      refused = true;
      this.#notices.error(error);
      if (isUnreached(error)) return this.#isAway();
      this.#lasting = error;
      this.#beImpatient();
    });
    this.#redis.on("connect", () => this.#beImpatient());
    this.#redis.on("end", () => this.#wake());
    this.#redis.on("ready", () => {
      this.#isAway();
      this.#wake();
      if (refused && this.#refusedSince === undefined) this.#notices.over();
      refused = false;
    });
  }

  /**
   * Repeats a command, which must do no harm twice, until Redis has taken it. It is given only while the connection is ready:
   * what the client keeps until then nobody can take back.
   *
   * @param command Gives the command.
   * @returns Its answer; `undefined` when the connection was ended meanwhile.
   * @throws {RedisRefusedError} (rejects) when Redis has refused for too long.
   * @throws {Error} (rejects) with any other error of the command.
   */
  repeat<T>(command: () => Promise<T>): Promise<T | undefined> {
    return this.#repeat(command, (work) => work);
  }

  /**
   * As {@linkcode repeat}, but gives up also when Redis lets nobody in for too long. The command may be under way then, and may
   * be carried out later.
   */
  offer<T>(command: () => Promise<T>): Promise<T | undefined> {
    return this.#repeat(command, (work) => this.within(work));
  }

  /**
   * Waits, but no longer than Redis may refuse to let anybody in. While it is away or silent, this waits.
   *
   * @param work What waits for Redis.
   * @throws {RedisRefusedError} (rejects) when Redis refuses for too long.
   */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = () => this.#impatient.delete(reject);
      this.#impatient.add(reject);
      work.finally(done).then(resolve, reject);
      if (this.#refusal) reject(this.#refusal);
      else this.#beImpatient();
    });
  }

  async #repeat<T>(command: () => Promise<T>, wait: <W>(work: Promise<W>) => Promise<W>): Promise<T | undefined> {
    for (let pause = PAUSE;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        if (this.#redis.status !== "ready" && this.#redis.status !== "end") {
          await wait((this.#ready ??= deferred()).promise);
        }
        if (this.#ended) return undefined;
        const answer = await wait(command());
        if (this.#refusedSince !== undefined) this.#accepted();
        return answer;
      } catch (error) {
        if (this.#ended) return undefined;
        if (isRefusal(error)) this.#refused(error as Error);
        else if (!isConnectionError(error) || this.#redis.status === "end") throw error;
        else pause = PAUSE;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** From now on no command is repeated. */
  end(): void {
    this.#ended = true;
    this.#patience?.clear();
    this.#wake();
  }

  #wake(): void {
    this.#ready?.resolve();
    this.#ready = undefined;
  }

  /** Redis is ready, or cannot be reached: it refuses nothing. */
  #isAway(): void {
    this.#lasting = this.#refusal = undefined;
    this.#patience?.clear();
    this.#patience = undefined;
  }

  /** Lets time run while Redis is there, lets nobody in, and somebody is impatient. */
  #beImpatient(): void {
    const { status } = this.#redis;
    if (this.#patience || this.#ended || this.#impatient.size === 0) return;
    if (status === "ready" || (status !== "connect" && !this.#lasting)) return;
    this.#patience = startTimer(this.#timeout, () => {
      this.#patience = undefined;
      if (this.#lasting) return this.#giveUp(this.#lasting);
      // It may be loading its data, or be silent. This command it answers also while it loads.
      background(this.#redis.info("persistence").then((info) => this.#isLoading(info)), () => {});
      this.#beImpatient();
    });
  }

  #isLoading(info: string): void {
    if (/^loading:1/m.test(info) && this.#redis.status !== "ready") this.#giveUp(notReady());
  }

  #giveUp(why: Error): void {
    this.#refusal = this.#error(why);
    for (const reject of this.#impatient) reject(this.#refusal);
  }

  #accepted(): void {
    this.#refusedSince = undefined;
    this.#notices.over();
  }

  #refused(error: Error): void {
    this.#notices.error(error);
    this.#refusedSince ??= performance.now();
    if (performance.now() - this.#refusedSince < this.#timeout) return;
    throw this.#error(error);
  }

  #error(cause: Error): RedisRefusedError {
    return new RedisRefusedError(`Redis has not taken the call within ${this.#timeout} ms: ${causeOf(cause)}`, {
      cause,
    });
  }
}
