// Errors of calls that Redis did not take, did not keep, or does not have; and why calls have failed that hosts answer.

import type { FailureCounts } from "../executor/stats.ts";
import { TaskTimeoutError, WorkerLostError } from "../future/errors.ts";

/**
 * Redis has not taken a call for as long as the executor waits (`redisTimeout`): it is full, read-only, starting, or does
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
 * There is no call with the key that {@linkcode BullMQExecutor.result} was asked for: it was not submitted to this queue, was
 * cancelled while it waited for a host, or was done longer ago than the `keepJobs` of its executor.
 *
 * @example A result that may be gone
 * ```ts ignore
 * import { CallNotFoundError } from "@concurrent/futures/bullmq";
 *
 * const error = await executor.result("chapter 1").exception();
 * if (error instanceof CallNotFoundError) executor.with({ key: "chapter 1" }).submit(words.countWords, "to be");
 * ```
 */
export class CallNotFoundError extends Error {
  /**
   * For executors, and for tests of your own code.
   *
   * @param message What was looked for.
   * @param options The `cause`: an error that led to this one.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CallNotFoundError";
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

/** Why a call has failed that a host has answered. */
export type AnsweredFailure = keyof FailureCounts & ("task" | "lost" | "timeout" | "host");

/**
 * Why a call has failed that a host has answered: the host and the submitter count it by the same words.
 *
 * @param by Whose failure it is, as the reply says.
 * @param reason What the call has failed with.
 */
export function answeredFailure(by: "task" | "host", reason: unknown): AnsweredFailure {
  if (by === "task") return "task"; // which may throw any class of errors
  if (reason instanceof WorkerLostError) return "lost";
  return reason instanceof TaskTimeoutError ? "timeout" : "host";
}
