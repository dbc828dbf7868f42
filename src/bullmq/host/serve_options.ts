// The options of serve(): defaults and checks.

import {
  checkDuration,
  checkOptions,
  checkPositiveInteger,
  checkString,
  isRecord,
  optionNames,
  refuseKind,
  refuseRange,
} from "../../wire/check.ts";
import { Executor } from "../../executor/executor.ts";
import { type Task, taskModule } from "../../task/task.ts";
import { ThreadPoolExecutor } from "../../thread/thread_pool_executor.ts";
import { availableParallelism } from "../../runtime.ts";
import type { RedisConnection } from "../connection.ts";
import type { HealthOptions } from "./health.ts";
import { Notices } from "../notices.ts";
import { checkName, type QueueSettings, readQueueOptions } from "../queue_options.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /** Name of the queue whose calls are run, without colons. */
  queue: string;
  /** Modules of tasks, by the names under which executors ask for them. */
  tasks: Readonly<Record<string, string | URL>>;
  /**
   * Local executor that runs the calls. The host does not shut it down.
   *
   * @default a ThreadPoolExecutor of the host's own
   */
  executor?: Executor | undefined;
  /**
   * Maximum number of calls that run at the same time.
   *
   * @default the `maxWorkers` of `executor`
   */
  workers?: number | undefined;
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
   * Name of the host, for messages and statistics.
   *
   * @default made of the machine's name and a random part
   */
  name?: string | undefined;
  /**
   * Time in milliseconds within which the calls of a lost host are delivered to another one. All hosts of a queue must have
   * the same.
   *
   * @default 30_000
   */
  stalledInterval?: number | undefined;
  /**
   * Time in milliseconds that {@linkcode Host.close} waits for calls that run. Then they are ended with their
   * workers and handed back.
   *
   * @default 20_000
   */
  drainTimeout?: number | undefined;
  /**
   * Maximum length of an encoded result, in characters (UTF-16 code units). Arguments may be as long, and 16 Mi characters in
   * any case.
   *
   * @default 16_777_216 (16 Mi)
   */
  maxPayload?: number | undefined;
  /**
   * Maximum number of finished jobs that stay in Redis; the oldest go first, each a minute after it was finished at the
   * earliest. Those that have a key do not go: they stay for the `keepJobs` of their executor. All hosts of a queue should have
   * the same number, as one of them cleans for all.
   *
   * @default 100_000
   */
  keepCount?: number | undefined;
  /**
   * Time in milliseconds to try to connect to Redis for the first time. Then `serve` rejects.
   *
   * @default 10_000
   */
  connectTimeout?: number | undefined;
  /**
   * Where the host says by HTTP how it is: `/live`, `/ready` (each 200, or 503 with reasons, as JSON), and `/metrics` for
   * Prometheus.
   *
   * @default it does not
   */
  health?: HealthOptions | undefined;
  /**
   * Called with each line that says what is wrong with Redis or with the host, without calls being concerned: one for
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
}

const HEALTH_OPTIONS = optionNames<HealthOptions>({ port: true, hostname: true });

const SERVE_OPTIONS = optionNames<ServeOptions>({
  queue: true,
  tasks: true,
  executor: true,
  workers: true,
  connection: true,
  prefix: true,
  name: true,
  stalledInterval: true,
  drainTimeout: true,
  maxPayload: true,
  keepCount: true,
  connectTimeout: true,
  health: true,
  log: true,
  onError: true,
});

/** The exports of a module, as tasks of the local executor; whether there is one shows when it is run. */
type Module = Readonly<Record<string, Task<unknown[], unknown>>>;

/** Options with defaults, checked. */
export interface ServeSettings extends QueueSettings {
  readonly modules: ReadonlyMap<string, Module>;
  readonly executor: Executor;
  /** Whether the executor is the host's own. */
  readonly owned: boolean;
  readonly workers: number;
  readonly name: string;
  readonly stalledInterval: number;
  readonly drainTimeout: number;
  readonly keepCount: number;
  readonly health: HealthOptions | undefined;
  readonly notices: Notices;
}

/**
 * The smallest `stalledInterval`, in milliseconds. BullMQ renews its locks twice in a third of it; with less, a slow moment of
 * Redis looks like a lost host.
 */
const SHORTEST_INTERVAL = 300;

/**
 * Checks the options of a host.
 *
 * @param options The options of a host.
 * @param id The default of `name`.
 * @throws {TypeError} when an option is of the wrong kind.
 * @throws {RangeError} when a number is out of range.
 */
export function readServeOptions(options: ServeOptions, id: string): ServeSettings {
  const action = "serve";
  checkOptions(action, options, SERVE_OPTIONS);
  const shared = readQueueOptions(action, options);
  const { tasks, executor, workers = workersOf(executor), name = id } = options;
  const { stalledInterval = 30_000, drainTimeout = 20_000, keepCount = 100_000, health } = options;
  if (!isRecord(tasks) || Object.keys(tasks).length === 0) {
    refuseKind(action, "tasks", 'an object such as { words: new URL("./words.ts", import.meta.url) }', tasks);
  }
  for (const key of Object.keys(tasks)) checkName(action, "tasks", key);
  const modules = new Map(
    Object.entries(tasks).map((
      [key, url],
    ) => [key, taskModule<Record<string, (...args: unknown[]) => unknown>>(url) as Module]),
  );
  if (executor !== undefined && !(executor instanceof Executor)) {
    refuseKind(action, "executor", "an executor", executor);
  }
  checkPositiveInteger(action, "workers", workers);
  checkName(action, "name", name);
  checkPositiveInteger(action, "stalledInterval", stalledInterval);
  checkDuration(action, "drainTimeout", drainTimeout);
  if (keepCount !== Infinity && keepCount !== 0) checkPositiveInteger(action, "keepCount", keepCount);
  checkHealth(action, health);
  return {
    ...shared,
    modules,
    // Jobs never bring source, and this executor would not evaluate any.
    executor: executor ?? new ThreadPoolExecutor({ maxWorkers: workers, name, inlineTasks: false }),
    owned: executor === undefined,
    workers,
    name,
    stalledInterval: Math.max(stalledInterval, SHORTEST_INTERVAL),
    drainTimeout,
    keepCount,
    health,
    notices: new Notices("Host", name, options),
  };
}

function checkHealth(action: string, health: HealthOptions | undefined): void {
  if (health === undefined) return;
  if (!isRecord(health)) {
    refuseKind(action, "health", "an object such as { port: 8080 }", health);
  }
  checkOptions(`${action} the page of 'health'`, health, HEALTH_OPTIONS);
  const { port, hostname } = health;
  if (typeof port !== "number") refuseKind(action, "health.port", "a number", port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    refuseRange(action, "health.port", "a port, 0 to 65535", port);
  }
  checkString(action, "health.hostname", hostname);
}

function workersOf(executor: Executor | undefined): number {
  const { maxWorkers = Infinity } = executor ?? {};
  return maxWorkers === Infinity ? availableParallelism() : maxWorkers;
}
