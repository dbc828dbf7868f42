// Errors of calls that Redis did not take, or did not keep.

/**
 * Redis has not taken a call for as long as the executor waits (`redisTimeout`): it is away, full, read-only, starting, or does
 * not take the password any more. `cause` says which. The call does not run. If Redis had it already when the connection was
 * lost, it is removed, or stopped, as soon as Redis is back, unless it has a `key`.
 *
 * @example A full Redis
 * ```ts ignore
 * import { RedisRefusedError } from "@concurrent/futures/bullmq";
 *
 * const error = await executor.submit(words.countWords, "to be").exception();
 * if (error instanceof RedisRefusedError) console.log(error.message); // Redis has not taken the call within 30000 ms: OOM command ...
 * ```
 */
export class RedisRefusedError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: what Redis said.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RedisRefusedError";
  }
}

/**
 * Redis has lost the call: its data were dropped, evicted, or not kept over a restart. The call was added again as often as
 * `retries` allows, three times by default. Whether it has run is not known.
 *
 * @example A call that must not run twice
 * ```ts ignore
 * import { JobLostError } from "@concurrent/futures/bullmq";
 *
 * const error = await executor.with({ retries: 0 }).submit(words.countWords, "to be").exception();
 * if (error instanceof JobLostError) console.log("ask whether it was done");
 * ```
 */
export class JobLostError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What happened.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "JobLostError";
  }
}
