// BullMQExecutor: the same executor, whose workers are hosts on other machines.

import { CALL_OPTIONS, type CallOptions, type CallSettings, readCallOptions } from "../../executor/call_options.ts";
import { Executor, type ExecutorView, View } from "../../executor/executor.ts";
import type { Future } from "../../future/future.ts";
import type { Submittable } from "../../task/task.ts";
import { checkDuration, refuse, refuseKind, refuseRange } from "../../wire/check.ts";
import { ClusterEngine } from "./cluster_engine.ts";
import { holding } from "../connection.ts";
import { type MetricLabels, MORE_METRICS } from "../metrics.ts";
import { checkName } from "../queue_options.ts";
import type { ClusterStats } from "./cluster_stats.ts";
import { KeyedFutures } from "./keyed_futures.ts";
import { type BullMQExecutorOptions, readOptions } from "./options.ts";

/** Options of {@linkcode BullMQExecutor.with}, for each call that is submitted through the view. */
export interface BullMQCallOptions extends Omit<CallOptions, "buffersize"> {
  /**
   * Idempotency key of one call, at most 1,000 characters. Calls with the same key are one: they have the same Future, and in
   * Redis the same job, for all executors of the queue, until the job is removed (`keepJobs`). Who takes back or stops such a call
   * does so for all of them, and a failure is a result, too. {@linkcode BullMQExecutor.result} gives the result to others.
   *
   * @default none
   */
  key?: string | undefined;
  /**
   * Time in milliseconds that a call may wait until a host begins it, counted from its submission. Then it is taken back, and
   * its Future rejects with a {@linkcode TimeoutError}. A call of `map` ends the iteration with it; a chunk expires as one.
   *
   * @default Infinity
   */
  expires?: number | undefined;
  /**
   * Time in milliseconds that a call waits at least before a host may begin it, counted from when it is sent: a year at most,
   * and less than `expires`. It waits in Redis, whatever becomes of this program, and may be cancelled meanwhile. Then it
   * begins by its `priority`. `retries` do not wait again.
   *
   * @default 0
   */
  delay?: number | undefined;
}

/** What {@linkcode BullMQExecutor.with} returns: the same queue with options for the calls. It cannot be shut down. */
export interface BullMQExecutorView extends ExecutorView {
  /** Returns another view, whose options add to those of this one; see {@linkcode BullMQExecutor.with}. */
  with(options: BullMQCallOptions): BullMQExecutorView;
}

/**
 * Runs calls on the hosts of a queue: programs that called {@linkcode serve}, on any machine that reaches the same Redis.
 *
 * Only tasks with a registered name can be submitted: those of `taskModule(url, { module: "words" })`, or of
 * `task(import.meta.url, fn, { module: "words" })`. Delivery is at least once: a call whose host is lost is run again.
 *
 * @example A call, and a host that runs it in the same program
 * ```ts ignore
 * import { taskModule } from "@concurrent/futures";
 * import { BullMQExecutor, serve } from "@concurrent/futures/bullmq";
 *
 * const url = new URL("./words.ts", import.meta.url);
 * const words = taskModule<typeof import("./words.ts")>(url, { module: "words" });
 * await using host = await serve({ queue: "words", tasks: { words: url } });
 * await using executor = new BullMQExecutor({ queue: "words" });
 * console.log(await executor.submit(words.countWords, "to be or not to be"));
 * ```
 */
export class BullMQExecutor extends Executor {
  readonly #engine: ClusterEngine;
  readonly #keys = new KeyedFutures();

  /**
   * Creates an executor. It connects to Redis when it is first used.
   *
   * @param options The queue, and how to reach Redis.
   * @throws {TypeError} when an option is unknown or of the wrong type.
   * @throws {RangeError} when an option is out of range.
   */
  constructor(options: BullMQExecutorOptions) {
    const engine = new ClusterEngine(readOptions(options));
    super(engine);
    this.#engine = engine;
  }

  /**
   * Returns a view of this executor, with options for the calls that are submitted through it.
   *
   * @param options The options of every executor, and `key`, `expires` and `delay`. `retries` is also how often a call is delivered
   * again when its host was lost; 3 without it.
   * @returns The view. It takes calls for the same queue, and cannot be shut down. Its own `with()` adds to these options; an
   * option that is not given, or `undefined`, stays as it was.
   * @throws {TypeError} when an option is unknown or of the wrong type.
   * @throws {RangeError} when a number is out of range.
   */
  override with(options: BullMQCallOptions): BullMQExecutorView {
    return new KeyedView(this.#engine, this.#keys, options);
  }

  /**
   * Calls `fn(...args)` on a host, see {@linkcode Executor.submit}. The arguments are copied when the current tick ends.
   *
   * @param fn A task with a registered name.
   * @param args Its arguments.
   * @returns The Future of its result. It rejects with whatever `fn` throws, with a `DataCloneError` when a value cannot be
   * sent, with a `RangeError` when it is too long, and with a {@linkcode WorkerLostError} when its hosts keep being lost.
   * @throws {TypeError} when `fn` has no registered name.
   * @throws {ShutdownError} when the executor has been shut down.
   * @throws {BrokenExecutor} when Redis could not be reached.
   * @throws {QueueFullError} when `maxQueue` calls wait already.
   */
  override submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Future<Awaited<R>>;
  /** As above, with a {@linkcode Task}. */
  override submit<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Future<Awaited<R>>;
  override submit<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Future<Awaited<R>> {
    return super.submit(fn, ...args);
  }

  /**
   * Waits until Redis has every call that was submitted so far: hosts run them then, whatever becomes of this program, unless
   * its `orphans` are cancelled.
   *
   * While Redis is away, it waits as the calls do. Calls that were cancelled do not count, and later ones may.
   *
   * @returns Resolves when Redis has them.
   * @throws (rejects) the reason when a call cannot be sent meanwhile, with which its Future rejects, too: a `DataCloneError` or a
   * `RangeError` when a value cannot be sent, a {@linkcode RedisRefusedError} when Redis has refused it for `redisTimeout`.
   * @throws {BrokenExecutor} (rejects) when Redis cannot be reached, or does not answer within `connectTimeout` after a shutdown.
   *
   * @example A program that only submits
   * ```ts ignore
   * for (const text of texts) executor.with({ key: text }).submit(words.countWords, text);
   * await executor.accepted();
   * process.exit(); // the hosts have the calls
   * ```
   */
  async accepted(): Promise<void> {
    await holding(this.#engine.accepted());
  }

  /**
   * The result of a call with a `key`, which this or another program has submitted, as long as Redis has it: while it waits or
   * runs, and for the `keepJobs` of its executor after that.
   *
   * Nothing is submitted, so this works without knowing the task. When `retryOn` has had the call run again, it is the result of
   * the last attempt so far.
   *
   * @typeParam R The type of the result. Nothing checks it.
   * @param key The key.
   * @returns A Future of the result. It rejects with whatever the call has failed with, with a {@linkcode CancelledError} when the
   * call was cancelled, with a {@linkcode CallNotFoundError} when Redis has no call with that key, and with a
   * {@linkcode BrokenExecutor} when Redis cannot be reached. Cancelling it, and the shutdown of this executor, end the waiting
   * and not the call.
   * @throws {TypeError} when `key` is not a string.
   * @throws {RangeError} when `key` is too long.
   * @throws {ShutdownError} when the executor has been shut down.
   * @throws {BrokenExecutor} when Redis could not be reached.
   *
   * @example The result of another program's call
   * ```ts ignore
   * const count = await executor.result<number>("chapter 1").result({ timeout: 10_000 });
   * ```
   */
  result<R = unknown>(key: string): Future<R> {
    const action = "get the result of a call";
    if (typeof key !== "string") refuseKind(action, "key", "a string", key);
    checkName(action, "key", key);
    return this.#engine.results.get(key) as Future<R>;
  }

  /**
   * What the whole cluster is doing: all hosts of the queue, for all its executors.
   *
   * @returns The hosts that live, and counts.
   * @throws {BrokenExecutor} (rejects) when Redis cannot be reached, or does not answer within `connectTimeout`.
   * @throws {ShutdownError} (rejects) when the executor has been shut down.
   */
  async cluster(): Promise<ClusterStats> {
    return await holding(this.#engine.cluster());
  }

  /** For {@linkcode metricsOf}. */
  [MORE_METRICS](labels: MetricLabels): string {
    return this.#engine.inbox.metrics(labels);
  }
}

/** The names of its options. It has no streams, and hosts send no reports. */
const KEYED_OPTIONS = [
  ...CALL_OPTIONS.filter((name) => name !== "buffersize" && name !== "onReport"),
  "key",
  "expires",
  "delay",
];

/** The longest `delay`, in milliseconds: BullMQ (6.7) counts 1/4096 of a millisecond, and there are no exact ones after 2039. */
const LONGEST_DELAY = 365 * 24 * 3_600_000;

function checkDelay({ delay = 0, expires = Infinity }: BullMQCallOptions): void {
  if (delay > LONGEST_DELAY) refuseRange("apply options to calls", "delay", "a year at most", delay);
  if (delay > 0 && delay >= expires) {
    refuseRange("apply options to calls", "delay", `less than 'expires', which is ${expires}`, delay);
  }
}

/** What with() returns: a call with a key has one Future, however often it is submitted. */
class KeyedView extends View implements BullMQExecutorView {
  readonly #engine: ClusterEngine;
  readonly #keys: KeyedFutures;
  readonly #settings: CallSettings;

  constructor(engine: ClusterEngine, keys: KeyedFutures, options: BullMQCallOptions, before?: CallSettings) {
    checkName("apply options to calls", "key", options?.key);
    checkDuration("apply options to calls", "expires", options?.expires ?? Infinity);
    checkDuration("apply options to calls", "delay", options?.delay ?? 0);
    const settings = readCallOptions(options, before, KEYED_OPTIONS);
    checkDelay(settings.options);
    super(engine, settings);
    this.#engine = engine;
    this.#keys = keys;
    this.#settings = settings;
  }

  override with(options: BullMQCallOptions): BullMQExecutorView {
    return new KeyedView(this.#engine, this.#keys, options, this.#settings);
  }

  override submit<A extends unknown[], R>(fn: Submittable<A, R>, ...args: A): Future<Awaited<R>> {
    const { key } = this.#settings.options as BullMQCallOptions;
    if (key === undefined) return super.submit(fn, ...args);
    return this.#keys.get(key, () => super.submit(fn, ...args)) as Future<Awaited<R>>;
  }

  // deno-lint-ignore no-explicit-any
  override group(...args: any[]): any {
    const { key } = this.#settings.options as BullMQCallOptions;
    // A call with a key may be somebody else's, too: a group must not abort it.
    if (key !== undefined) refuse("make a group", "a call with a 'key' belongs to all who submit it", key);
    return super.group(...args);
  }
}
