// The options of a BullMQExecutor: defaults and checks.

import {
  checkDuration,
  checkErrorTypes,
  checkFunction,
  checkOptions,
  checkPositiveInteger,
  checkString,
  optionNames,
  refuseRange,
} from "../../wire/check.ts";
import type { UnobservedHandler } from "../../future/unobserved.ts";
import type { ErrorConstructorLike } from "../../wire/error_class.ts";
import type { RedisConnection } from "../connection.ts";
import { Notices } from "../notices.ts";
import { KEEP_JOBS, type QueueSettings, readQueueOptions, SHORTEST_KEEP } from "../queue_options.ts";

/** Options of a {@linkcode BullMQExecutor}. */
export interface BullMQExecutorOptions {
  /** Name of the queue, without colons. The hosts of the same queue run the calls. */
  queue: string;
  /**
   * How to reach Redis.
   *
   * @default { url: "redis://127.0.0.1:6379" }
   */
  connection?: RedisConnection | undefined;
  /**
   * What the keys in Redis begin with, as BullMQ's option.
   *
   * @default "bull"
   */
  prefix?: string | undefined;
  /**
   * Name of the executor, for messages.
   *
   * @default `BullMQExecutor(${queue})`
   */
  name?: string | undefined;
  /**
   * Maximum number of calls that wait for a host. Beyond it, `submit` throws a {@linkcode QueueFullError};
   * {@linkcode Executor.ready} waits for a place.
   *
   * @default Infinity
   */
  maxQueue?: number | undefined;
  /**
   * What becomes of the calls when their executor has died. `"run"`: they are run. `"cancel"`: they are not begun, and those
   * that run are stopped.
   *
   * @default "run"
   */
  orphans?: "run" | "cancel" | undefined;
  /**
   * With `orphans: "cancel"`: time in milliseconds without a sign of life after which the executor counts as dead.
   *
   * @default 30_000
   */
  orphanTimeout?: number | undefined;
  /**
   * Time in milliseconds that a finished job and its result stay in Redis, at least 60,000. For that long, `key` refers to the
   * job, {@linkcode BullMQExecutor.result} gives its result, and dashboards show it. Jobs without a key go earlier when there are too many, see `keepCount` of
   * {@linkcode ServeOptions}.
   *
   * @default 3_600_000 (an hour)
   */
  keepJobs?: number | undefined;
  /**
   * Maximum length of the encoded arguments of a call, in characters (UTF-16 code units). A result may be as long, and
   * 16 Mi characters in any case.
   *
   * @default 16_777_216 (16 Mi)
   */
  maxPayload?: number | undefined;
  /**
   * Time in milliseconds to try to connect to Redis for the first time; then the executor is broken. After a shutdown it is
   * also how long Redis may be silent before the calls that are left fail with a {@linkcode BrokenExecutor}.
   *
   * @default 10_000
   */
  connectTimeout?: number | undefined;
  /**
   * Time in milliseconds that calls wait while Redis refuses them: it is full, read-only, starting, or does not take the
   * password any more. Then they fail with a {@linkcode RedisRefusedError}, and so do others until it takes calls again. While
   * Redis is away or silent, calls wait without a limit.
   *
   * @default 30_000
   */
  redisTimeout?: number | undefined;
  /**
   * Called with each line that says what is wrong with Redis or with the executor, without calls being concerned: one for
   * each cause, and again only when it changes.
   *
   * @default writes to `console.error`
   */
  log?: ((line: string) => void) | undefined;
  /**
   * Called with each error that becomes such a line, without what was sent to Redis.
   *
   * @default none
   */
  onError?: ((error: unknown) => void) | undefined;
  /**
   * Called once, after the shutdown, when calls have failed and nothing has observed their errors.
   *
   * @default writes to `console.error`
   */
  onUnobserved?: UnobservedHandler | undefined;
  /**
   * Classes of errors that tasks throw. An error whose class has the name of one of them arrives as an instance of it;
   * errors of other classes of a program's own arrive as `Error`.
   *
   * @default []
   */
  errorTypes?: readonly ErrorConstructorLike[] | undefined;
}

const EXECUTOR_OPTIONS = optionNames<BullMQExecutorOptions>({
  queue: true,
  connection: true,
  prefix: true,
  name: true,
  maxQueue: true,
  orphans: true,
  orphanTimeout: true,
  keepJobs: true,
  maxPayload: true,
  connectTimeout: true,
  redisTimeout: true,
  log: true,
  onError: true,
  onUnobserved: true,
  errorTypes: true,
});

/** Options with defaults, checked. */
export interface ClusterSettings extends QueueSettings {
  readonly name: string;
  readonly maxQueue: number;
  readonly orphans: "run" | "cancel";
  readonly orphanTimeout: number;
  readonly keepJobs: number;
  readonly onUnobserved: UnobservedHandler | undefined;
  readonly errorTypes: ReadonlyMap<string, ErrorConstructorLike>;
  readonly redisTimeout: number;
  readonly notices: Notices;
}

/**
 * Checks the options of an executor.
 *
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 */
export function readOptions(options: BullMQExecutorOptions): ClusterSettings {
  const action = "create BullMQExecutor";
  checkOptions(action, options, EXECUTOR_OPTIONS);
  const shared = readQueueOptions(action, options);
  const { name = `BullMQExecutor(${shared.queue})`, maxQueue = Infinity, orphans = "run" } = options;
  const { orphanTimeout = 30_000, redisTimeout = 30_000, onUnobserved, errorTypes = [] } = options;
  const { keepJobs = KEEP_JOBS } = options;
  checkString(action, "name", name);
  if (maxQueue !== Infinity) checkPositiveInteger(action, "maxQueue", maxQueue);
  if (orphans !== "run" && orphans !== "cancel") refuseRange(action, "orphans", '"run" or "cancel"', orphans);
  checkPositiveInteger(action, "orphanTimeout", orphanTimeout);
  checkDuration(action, "keepJobs", keepJobs);
  checkDuration(action, "redisTimeout", redisTimeout);
  checkFunction(action, "onUnobserved", onUnobserved);
  checkErrorTypes(action, errorTypes);
  return {
    ...shared,
    name,
    maxQueue,
    orphans,
    orphanTimeout,
    keepJobs: Math.min(Math.max(keepJobs, SHORTEST_KEEP), Number.MAX_SAFE_INTEGER),
    redisTimeout,
    onUnobserved,
    errorTypes: new Map(errorTypes.map((type) => [type.name, type])),
    notices: new Notices("Executor", name, options),
  };
}
