// What a BullMQExecutor can be told when it is made: defaults and checks.

import {
  checkDuration,
  checkErrorTypes,
  checkFunction,
  checkOptions,
  checkPositiveInteger,
  checkString,
  refuseKind,
  refuseRange,
} from "../../wire/check.ts";
import type { UnobservedHandler } from "../../future/unobserved.ts";
import type { ErrorConstructorLike } from "../../wire/error_class.ts";
import type { RedisConnection } from "../connection.ts";
import { LONGEST_NAME } from "../protocol.ts";

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

/** Options with defaults, checked. */
export interface ClusterSettings {
  readonly queue: string;
  readonly connection: RedisConnection;
  readonly prefix: string;
  readonly name: string;
  readonly maxQueue: number;
  readonly orphans: "run" | "cancel";
  readonly orphanTimeout: number;
  readonly keepJobs: number;
  readonly maxPayload: number;
  readonly connectTimeout: number;
  readonly onUnobserved: UnobservedHandler | undefined;
  readonly errorTypes: ReadonlyMap<string, ErrorConstructorLike>;
}

/** What is sent at most, in characters. */
export const MAX_PAYLOAD = 16 * 2 ** 20;

/** How long a job stays when it is done, in milliseconds. */
export const KEEP_JOBS = 3_600_000;

/** A result has to stay until it is read. */
const SHORTEST_KEEP = 60_000;

/**
 * Checks the options of an executor.
 *
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 */
export function readOptions(options: BullMQExecutorOptions): ClusterSettings {
  const action = "create BullMQExecutor";
  checkOptions(action, options);
  const { queue, connection = {}, prefix = "bull", name, maxQueue = Infinity, orphans = "run" } = options;
  const { keepJobs = KEEP_JOBS, maxPayload = MAX_PAYLOAD, connectTimeout = 10_000, onUnobserved } = options;
  const { errorTypes = [], orphanTimeout = 30_000 } = options;
  checkQueue(action, queue, connection, prefix);
  checkString(action, "name", name);
  if (maxQueue !== Infinity) checkPositiveInteger(action, "maxQueue", maxQueue);
  if (orphans !== "run" && orphans !== "cancel") refuseRange(action, "orphans", '"run" or "cancel"', orphans);
  checkPositiveInteger(action, "orphanTimeout", orphanTimeout);
  checkDuration(action, "keepJobs", keepJobs);
  checkPositiveInteger(action, "maxPayload", maxPayload);
  checkDuration(action, "connectTimeout", connectTimeout);
  checkFunction(action, "onUnobserved", onUnobserved);
  checkErrorTypes(action, errorTypes);
  return {
    queue,
    connection,
    prefix,
    name: name ?? `BullMQExecutor(${queue})`,
    maxQueue,
    orphans,
    orphanTimeout,
    keepJobs: keepFor(keepJobs),
    maxPayload,
    connectTimeout,
    onUnobserved,
    errorTypes: new Map(errorTypes.map((type) => [type.name, type])),
  };
}

/** Checks what is to be the name of something, if it is given. */
export function checkName(action: string, option: string, name: unknown): void {
  checkString(action, option, name);
  if (name !== undefined && (name as string).length > LONGEST_NAME) {
    refuseRange(action, option, `at most ${LONGEST_NAME} characters long`, (name as string).length);
  }
}

/** How long jobs are kept, and replies with them. */
export function keepFor(keepJobs: number): number {
  return Math.min(Math.max(keepJobs, SHORTEST_KEEP), Number.MAX_SAFE_INTEGER);
}

/** Checks what executors and hosts have in common. */
export function checkQueue(action: string, queue: unknown, connection: unknown, prefix: unknown): void {
  if (typeof queue !== "string") refuseKind(action, "queue", "a string", queue);
  // BullMQ puts its keys together with colons.
  if (queue === "" || queue.includes(":")) refuseRange(action, "queue", "a name without colons", queue);
  checkString(action, "prefix", prefix);
  if (typeof connection !== "object" || connection === null) {
    refuseKind(action, "connection", 'an object such as { url: "redis://127.0.0.1:6379" }', connection);
  }
}
