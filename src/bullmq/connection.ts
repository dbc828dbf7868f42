// Connections to Redis. They never keep a program alive: whoever waits for something does.

import { Redis } from "ioredis";
import { BrokenExecutor } from "../future/errors.ts";
import { startTimer } from "../future/timer.ts";

/** How to reach Redis: a URL, or options of ioredis, or both. By default `redis://127.0.0.1:6379`. */
export interface RedisConnection {
  /** Such as `redis://user:password@host:6379/0`; `rediss:` for TLS. */
  url?: string;
  /** Its host. */
  host?: string;
  /** Its port. */
  port?: number;
  /** The user. */
  username?: string;
  /** The user's password. */
  password?: string;
  /** The number of the database. */
  db?: number;
  /** Options of TLS, as of `node:tls`; an empty object is enough. */
  tls?: object;
  /** Any other option of ioredis. */
  [option: string]: unknown;
}

/** The pause before it is tried again to connect: it doubles, in milliseconds, up to the longest. */
const FIRST_PAUSE = 50, LONGEST_PAUSE = 2000;

/** Errors that do not go away. */
const REFUSED = /^(NOAUTH|WRONGPASS|NOPERM|ERR (invalid|AUTH|Client sent AUTH))/;

/**
 * Opens a connection that is tried again for as long as it takes.
 *
 * @param connection Where to.
 * @returns ioredis' client. Its commands wait while it is not connected.
 */
export function connect({ url, ...options }: RedisConnection): Redis {
  const settings = {
    retryStrategy: (times: number) => Math.min(FIRST_PAUSE * 2 ** (times - 1), LONGEST_PAUSE),
    ...options,
    maxRetriesPerRequest: null, // BullMQ's condition: a command waits until it can be sent
    lazyConnect: false,
  };
  const client = url === undefined ? new Redis(settings) : new Redis(complete(url, options.password), settings);
  client.on("error", () => {}); // it is tried again; who waits for it is told by `opened`
  client.on("connect", () => unref((client as unknown as Connecting).stream));
  client.on("reconnecting", () => unref((client as unknown as Connecting).reconnectTimeout));
  return client;
}

/** The password of a URL that names only a user: ioredis (6.0) takes it for an empty one. */
function complete(url: string, password: string | undefined): string {
  if (password === undefined || !/^rediss?:\/\/[^/:@]+@/i.test(url)) return url;
  const completed = new URL(url);
  completed.password = encodeURIComponent(password);
  return completed.href;
}

/**
 * Waits for the first connection. Later ones are waited for without an end.
 *
 * @param client The client.
 * @param timeout How long, in milliseconds.
 * @throws {BrokenExecutor} (rejects) when there is none in time, or it is refused.
 */
export function opened(client: Redis, timeout: number): Promise<void> {
  if (client.status === "ready") return Promise.resolve();
  return new Promise((resolve, reject) => {
    let last: unknown;
    const done = (error?: BrokenExecutor) => {
      timer.clear();
      client.off("ready", onReady).off("error", onError).off("end", onEnd);
      if (error) reject(error);
      else resolve();
    };
    const fail = () => done(new BrokenExecutor("Redis cannot be reached", { cause: last }));
    const onReady = () => done();
    const onError = (error: Error) => {
      last = withoutCommand(error);
      if (REFUSED.test(error.message)) fail();
    };
    const onEnd = () => fail();
    const timer = startTimer(timeout, fail);
    client.on("ready", onReady).on("error", onError).on("end", onEnd);
  });
}

/** Keeps the program alive until a promise is settled, as connections do not. */
export async function holding<T>(promise: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, LONGEST_PAUSE);
  try {
    return await promise;
  } finally {
    clearInterval(hold);
  }
}

/** Whether a command failed because of its connection: it may be given again. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof Error &&
    /Connection is closed|connection (close|lost)|Command aborted|ECONN|EPIPE|ETIMEDOUT|^LOADING/i.test(error.message);
}

/**
 * What ioredis says, without the command that it says it of, which shows wherever the error does: the password is in one, and what
 * was sent in others.
 *
 * @param error Whatever was thrown.
 * @returns The same.
 */
export function withoutCommand<E>(error: E): E {
  if (error instanceof Error) delete (error as { command?: unknown }).command;
  return error;
}

interface Connecting {
  /** The socket. */
  readonly stream: unknown;
  /** What waits before it connects again. */
  readonly reconnectTimeout: unknown;
}

function unref(handle: unknown): void {
  (handle as { unref?(): void } | null | undefined)?.unref?.();
}
