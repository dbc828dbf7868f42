// The options of a BullMQExecutor: defaults and checks.

import {
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
import { type QueueSettings, readQueueOptions } from "../queue_options.ts";

/** Options of a {@linkcode BullMQExecutor}. All times are milliseconds. */
export interface BullMQExecutorOptions {
  /** The queue. The hosts of the same one run its calls. */
  queue: string;
  /** How to reach Redis; by default `redis://127.0.0.1:6379`. */
  connection?: RedisConnection;
  /** What the keys in Redis begin with, as BullMQ's option; `"bull"` by default. */
  prefix?: string;
  /** The executor's name, for messages. */
  name?: string;
  /** So many calls may wait for a host; more are a {@linkcode QueueFullError}. By default any number. */
  maxQueue?: number;
  /**
   * What becomes of the calls of an executor that has died. `"run"`, the default: they are run. `"cancel"`: they are
   * not begun, and what runs is stopped.
   */
  orphans?: "run" | "cancel";
  /** With `orphans: "cancel"`: an executor that says nothing for so long counts as dead; 30,000 by default. */
  orphanTimeout?: number;
  /**
   * How long a job stays in Redis when it is done, at least a minute; 3,600,000 by default. So long `key` refers to it, and
   * dashboards show it.
   */
  keepJobs?: number;
  /**
   * How long the arguments of a call may be when they are encoded, in characters; 16 Mi by default. Results may be as long, and
   * 16 Mi in any case.
   */
  maxPayload?: number;
  /** How long to try to connect to Redis for the first time before the executor is broken; 10,000 by default. */
  connectTimeout?: number;
  /** Told of failures that nobody looked at when the executor has shut down; by default the console is. */
  onUnobserved?: UnobservedHandler;
  /** Custom error classes: errors of a task that are of one of these, by name, are of it here too. */
  errorTypes?: readonly ErrorConstructorLike[];
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
  onUnobserved: true,
  errorTypes: true,
});

/** Options with defaults, checked. */
export interface ClusterSettings extends QueueSettings {
  readonly name: string;
  readonly maxQueue: number;
  readonly orphans: "run" | "cancel";
  readonly orphanTimeout: number;
  readonly onUnobserved: UnobservedHandler | undefined;
  readonly errorTypes: ReadonlyMap<string, ErrorConstructorLike>;
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
  const { orphanTimeout = 30_000, onUnobserved, errorTypes = [] } = options;
  checkString(action, "name", name);
  if (maxQueue !== Infinity) checkPositiveInteger(action, "maxQueue", maxQueue);
  if (orphans !== "run" && orphans !== "cancel") refuseRange(action, "orphans", '"run" or "cancel"', orphans);
  checkPositiveInteger(action, "orphanTimeout", orphanTimeout);
  checkFunction(action, "onUnobserved", onUnobserved);
  checkErrorTypes(action, errorTypes);
  return {
    ...shared,
    name,
    maxQueue,
    orphans,
    orphanTimeout,
    onUnobserved,
    errorTypes: new Map(errorTypes.map((type) => [type.name, type])),
  };
}
