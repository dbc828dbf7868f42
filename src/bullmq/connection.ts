// Connections to Redis. They do not keep a program alive; what waits for something holds it, see holding().

import { type Redis, ReplyError } from "ioredis";
import { BrokenExecutor } from "../future/errors.ts";
import { LONGEST_TIMER, startTimer } from "../future/timer.ts";
import { causeOf } from "./notices.ts";
import { RedisClient, SILENT } from "./redis_client.ts";

/** How to reach Redis: a URL, or options of ioredis, or both. */
export interface RedisConnection {
  /**
   * URL such as `redis://user:password@host:6379/0`; `rediss:` for TLS.
   *
   * @default "redis://127.0.0.1:6379"
   */
  url?: string | undefined;
  /**
   * Name or address of the server.
   *
   * @default that of `url`
   */
  host?: string | undefined;
  /**
   * Port of the server.
   *
   * @default that of `url`
   */
  port?: number | undefined;
  /**
   * Name of the user.
   *
   * @default that of `url`
   */
  username?: string | undefined;
  /**
   * Password of the user.
   *
   * @default that of `url`
   */
  password?: string | undefined;
  /**
   * Number of the database.
   *
   * @default that of `url`
   */
  db?: number | undefined;
  /**
   * Options of TLS, as of `node:tls`, such as `{ ca }`: the certificate of the authority that has signed that of Redis, unless
   * the system knows it. An empty object is enough for TLS.
   *
   * @default none, or what `rediss:` needs
   */
  tls?: object | undefined;
  /**
   * Time in milliseconds without an answer after which a connection is given up and made anew, as ioredis' option. Redis is
   * asked three times as often whether there is something new, so that a connection on which nothing happens stays. With
   * `Infinity`, a connection that has died without an error is not noticed.
   *
   * @default 15_000
   */
  socketTimeout?: number | undefined;
  /**
   * Addresses of Sentinels, which know the server that is in charge: `[{ host: "10.0.0.1", port: 26379 }]`. They need
   * `name`, and stand in for `host` and `port`, those of `url` included.
   *
   * @default none
   */
  sentinels?: readonly { host: string; port: number }[] | undefined;
  /**
   * Name by which the Sentinels know the group of servers.
   *
   * @default none
   */
  name?: string | undefined;
  /** Any other option of ioredis. */
  [option: string]: unknown;
}

/** The pause before the next attempt to connect, in milliseconds: it doubles, up to the longest. */
const FIRST_PAUSE = 50, LONGEST_PAUSE = 2000;

/** Errors that no other attempt makes go away. Before version 6, Redis says ERR of wrong passwords, and more by words alone. */
const REFUSED = /^(NOAUTH|WRONGPASS|NOPERM|ERR (invalid|AUTH|Client sent AUTH))/;

/** Codes of certificates that no other attempt makes valid, the same on Deno 2.9, Bun 1.4 and Node 24. */
const NOT_TRUSTED = /SELF_SIGNED|UNABLE_TO_|ALTNAME|CERT_/;

/** Codes of errors of a socket. */
const SOCKET_ERRORS: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
]);

/** A connection is given up when Redis answers nothing for this long, in milliseconds: it can die without an error. */
const SOCKET_TIMEOUT = 15_000;

/** The part of that for which a command may block: an answer that there is nothing must not be late on a busy machine. */
const BLOCKING = 1 / 3;

/** The whole message of the error when ioredis (6.0) has ended a connection; the error has no class or code. */
const CLOSED = "Connection is closed.";

/** The name of the error of a command that was lost with its connection; ioredis (6.0) does not export its class. */
const ABORTED = "AbortError";

/**
 * Opens a connection. It tries to connect until it is ended.
 *
 * @param connection How to reach Redis.
 * @returns The client. Its commands wait while it is not connected.
 */
export function connect({ url, socketTimeout = SOCKET_TIMEOUT, ...options }: RedisConnection): Redis {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = {
    retryStrategy: (times: number) => Math.min(FIRST_PAUSE * 2 ** (times - 1), LONGEST_PAUSE),
    ...given,
    ...(socketTimeout > LONGEST_TIMER ? undefined : { socketTimeout }),
    maxRetriesPerRequest: null, // BullMQ's condition: a command waits until it can be sent
    lazyConnect: false,
  };
  if (url === undefined) return new RedisClient(settings);
  // ioredis (6.0) knows the scheme of TLS in lower case only.
  const known = url.replace(/^rediss?:/i, (scheme) => scheme.toLowerCase());
  return new RedisClient(settings, complete(known, options.password));
}

/** How long a command may block on a connection, in milliseconds. */
export function longestBlock({ options: { socketTimeout = SOCKET_TIMEOUT } }: Redis): number {
  return Math.ceil(socketTimeout * BLOCKING);
}

/** Whether ioredis understands a text as a URL, without taking a part of a password for something else. */
export function isRedisUrl(url: string): boolean {
  if (/^\/[^/]/.test(url)) return true; // the path of a socket
  const full = /^rediss?:\/\//i.test(url) ? url : url.startsWith("//") ? `redis:${url}` : `redis://${url}`;
  if (!URL.canParse(full)) return false;
  const { username, password, pathname, search, hash } = new URL(full);
  try {
    decodeURIComponent(username + password);
  } catch {
    return false;
  }
  return /^\/?\d*$/.test(pathname) && !search.includes("@") && hash === "";
}

/** Puts the password into a URL that names only a user: ioredis (6.0) would take an empty one. */
function complete(url: string, password: string | undefined): string {
  if (password === undefined || !/^rediss?:\/\/[^/:@]+@/i.test(url)) return url;
  const completed = new URL(url);
  completed.password = encodeURIComponent(password);
  return completed.href;
}

/**
 * Waits until a client is connected.
 *
 * @param client The client.
 * @param timeout How long, in milliseconds.
 * @throws {BrokenExecutor} (rejects) when time is up, Redis refuses the connection, or it is a Redis Cluster or a Sentinel.
 */
export async function opened(client: Redis, timeout: number): Promise<void> {
  await connected(client, timeout);
  const told = client.info("server").catch(() => ""); // who may not ask need not know
  // Redis (7.0) and Valkey (8.0).
  const [, , mode] = /^(redis|server)_mode:(\w+)/m.exec(await answered(client, timeout, told)) ?? [];
  if (mode === "sentinel") {
    throw new BrokenExecutor(
      "This is a Sentinel, which has no queues: give its address as 'connection.sentinels' (--sentinel), and as " +
        "'connection.name' (--sentinel-name) the name by which it knows the server",
    );
  }
  if (mode === "cluster") {
    throw new BrokenExecutor(
      "Redis Cluster cannot be used, as the keys of a queue have to be on one server: use a single server, or several " +
        "with Sentinel",
    );
  }
}

function connected(client: Redis, timeout: number): Promise<void> {
  if (client.status === "ready") return Promise.resolve();
  return new Promise((resolve, reject) => {
    let last: unknown;
    const done = (error?: BrokenExecutor) => {
      timer.clear();
      client.off("connect", onConnect).off("ready", onReady).off("error", onError).off("end", onEnd);
      if (error) reject(error);
      else resolve();
    };
    const fail = (what = last instanceof ReplyError ? "Redis refuses the connection" : "Redis cannot be reached") =>
      done(new BrokenExecutor(last ? `${what}: ${causeOf(last)}` : what, { cause: last }));
    const onConnect = () => last = notReady();
    const onReady = () => done();
    const onError = (error: Error) => {
      last = error;
      if (REFUSED.test(error.message)) fail();
      else if (isNotTrusted(error)) {
        fail("Redis shows a certificate that is not trusted; give its authority as 'connection.tls.ca'");
      }
    };
    const onEnd = () => fail();
    const timer = startTimer(timeout, fail);
    client.on("connect", onConnect).on("ready", onReady).on("error", onError).on("end", onEnd);
  });
}

/**
 * Waits for commands, but no longer than Redis may take to answer: a connection can be silent.
 *
 * @param client The client. It is disconnected when time is up, which ends its commands.
 * @param timeout How long, in milliseconds.
 * @param work What waits for commands.
 * @throws {BrokenExecutor} (rejects) when time is up.
 */
export async function answered<T>(client: Redis, timeout: number, work: Promise<T>): Promise<T> {
  let late = false;
  const timer = startTimer(timeout, () => {
    late = true;
    client.disconnect();
  });
  try {
    return await work;
  } catch (error) {
    throw late ? notAnswered(timeout) : error;
  } finally {
    timer.clear();
  }
}

/**
 * As {@linkcode answered}, for a connection that others use, too: it stays, and the commands may still be carried out.
 *
 * @param timeout How long, in milliseconds.
 * @param work What waits for commands.
 * @throws {BrokenExecutor} (rejects) when time is up.
 */
export function answeredWithin<T>(timeout: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = startTimer(timeout, () => reject(notAnswered(timeout)));
    work.finally(() => timer.clear()).then(resolve, reject);
  });
}

function notAnswered(timeout: number): BrokenExecutor {
  return new BrokenExecutor(`Redis has not answered for ${timeout} ms`);
}

/** The reason when a client is connected and no more is heard: ioredis (6.0) is silent while Redis loads its data. */
export function notReady(): Error {
  return new Error("it takes connections, but is not ready: it may be loading its data");
}

/** Whether the certificate of Redis is one that no other attempt makes valid. */
export function isNotTrusted(error: Error): boolean {
  return NOT_TRUSTED.test(String((error as { code?: unknown }).code));
}

/** Keeps the program alive until a promise is settled. */
export async function holding<T>(promise: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, LONGEST_PAUSE);
  try {
    return await promise;
  } finally {
    clearInterval(hold);
  }
}

/** Whether a command failed because of its connection, or because Redis is starting: it may be given again. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Redis' codes are first words. It ends what blocks when it becomes a replica.
  if (error instanceof ReplyError) return /^(LOADING|UNBLOCKED) /.test(error.message);
  if (SOCKET_ERRORS.has((error as { code?: unknown }).code) || error.name === ABORTED) return true;
  return error.message === CLOSED || error.message.startsWith(SILENT);
}
