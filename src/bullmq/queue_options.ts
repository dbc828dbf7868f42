// The options that executors and hosts share: how to reach the queue, and how much may be sent through it.

import {
  checkDuration,
  checkFunction,
  checkPositiveInteger,
  checkString,
  isRecord,
  refuseKind,
  refuseRange,
} from "../wire/check.ts";
import { isRedisUrl, type RedisConnection } from "./connection.ts";
import { LONGEST_NAME, MAX_PAYLOAD } from "./protocol.ts";

/** The shared options, as a program gives them. */
interface QueueOptions {
  queue: string;
  connection?: RedisConnection | undefined;
  prefix?: string | undefined;
  maxPayload?: number | undefined;
  connectTimeout?: number | undefined;
  log?: ((line: string) => void) | undefined;
  onError?: ((error: unknown) => void) | undefined;
}

/** The shared options with defaults, checked. */
export interface QueueSettings {
  readonly queue: string;
  readonly connection: RedisConnection;
  readonly prefix: string;
  readonly maxPayload: number;
  readonly connectTimeout: number;
}

/** How long a finished job stays unless its call says otherwise, in milliseconds. */
export const KEEP_JOBS = 3_600_000;

/** The shortest time that a finished job is kept, in milliseconds: its executor must be able to read the result. */
export const SHORTEST_KEEP = 60_000;

const ESCAPED = "whose user and password have been through encodeURIComponent()";

/** Refuses a value that has a password in it if it is a text. */
function refuseSecret(action: string, name: string, wanted: string, value: unknown): never {
  if (typeof value !== "string") refuseKind(action, name, wanted, value);
  throw new TypeError(
    `Cannot ${action} as '${name}' must be ${wanted}; the value is not shown, as it may have a password`,
  );
}

/**
 * Checks the shared options.
 *
 * @param action What fails if they are wrong, for the message.
 * @param options The options of an executor or a host.
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when an option is out of range.
 */
export function readQueueOptions(action: string, options: QueueOptions): QueueSettings {
  const { queue, connection = {}, prefix = "bull", maxPayload = MAX_PAYLOAD } = options;
  const { connectTimeout = 10_000 } = options;
  if (typeof queue !== "string") refuseKind(action, "queue", "a string", queue);
  // BullMQ joins the parts of its keys with colons.
  if (queue === "" || queue.includes(":")) refuseRange(action, "queue", "a name without colons", queue);
  checkString(action, "prefix", prefix);
  if (!isRecord(connection)) {
    refuseSecret(action, "connection", 'an object such as { url: "redis://127.0.0.1:6379" }', connection);
  }
  const { url } = connection;
  if (url !== undefined && (typeof url !== "string" || !isRedisUrl(url))) {
    refuseSecret(action, "connection.url", `a URL such as "redis://user:password@host:6379/0", ${ESCAPED}`, url);
  }
  const { socketTimeout } = connection;
  checkDuration(action, "connection.socketTimeout", socketTimeout);
  if (socketTimeout === 0) refuseRange(action, "connection.socketTimeout", "> 0", socketTimeout);
  checkPositiveInteger(action, "maxPayload", maxPayload);
  checkDuration(action, "connectTimeout", connectTimeout);
  checkFunction(action, "log", options.log);
  checkFunction(action, "onError", options.onError);
  return {
    queue,
    connection,
    prefix,
    maxPayload,
    connectTimeout,
  };
}

/** Checks an option that is a name and goes into Redis. */
export function checkName(action: string, option: string, name: unknown): void {
  checkString(action, option, name);
  if (name !== undefined && (name as string).length > LONGEST_NAME) {
    refuseRange(action, option, `at most ${LONGEST_NAME} characters long`, (name as string).length);
  }
}
