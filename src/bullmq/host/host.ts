// A host: takes jobs from a queue and runs their calls in a local executor. So a call can be stopped as any local one, and
// a task that blocks its thread does not keep BullMQ from renewing the locks of the host's jobs.

import type { Job } from "bullmq";
import type { Redis } from "ioredis";
import { type Deferred, deferred } from "../../future/deferred.ts";
import { startTimer, type Timer } from "../../future/timer.ts";
import { runtime } from "../../runtime.ts";
import { background } from "../background.ts";
import { roomFor } from "../codec.ts";
import { answered, holding, isConnectionError } from "../connection.ts";
import { isRefusal } from "../insist.ts";
import { failures, gauge, type Metric, writeMetrics } from "../metrics.ts";
import { leftBehind } from "../notices.ts";
import { HEARTBEAT, type HostStats, Keys, LONGEST_NAME, MOST_ITEMS } from "../protocol.ts";
import type { StreamReader } from "../stream_reader.ts";
import { Cleaner } from "./cleaner.ts";
import { HealthPage } from "./health.ts";
import { isLockLost } from "./host_errors.ts";
import { JobRunner, PATIENCE } from "./job_runner.ts";
import { JobWorker, type KeptJob } from "./job_worker.ts";
import { isJobGone, jobsLost } from "./lost_jobs.ts";
import { Refusals } from "./refusals.ts";
import type { ServeSettings } from "./serve_options.ts";

/** How long it holds that a host lives, in milliseconds. */
const HOST_TTL = 3 * HEARTBEAT;

/** How long Redis may take to count what waits, for a scraper, in milliseconds. */
const SCRAPE_LIMIT = 1000;
/** How long the end of a host waits for Redis' answers, in milliseconds, beside what its calls take. */
const END_MARGIN = 5000;

/** The pause after an error of the connection, in milliseconds. */
const RETRY_DELAY = 500;

/** A program that runs the calls of a queue, see {@linkcode serve}. */
export interface Host extends AsyncDisposable {
  /** The host's name. */
  readonly name: string;
  /**
   * Resolves when the host has closed. Rejects with the reason when it had to close: its executor has ended, or a module of
   * tasks keeps failing to load.
   */
  readonly closed: Promise<void>;
  /** The port of its page, when `health` was given: the one that the system has chosen for `port: 0`. */
  readonly healthPort: number | undefined;

  /**
   * What the host is doing.
   *
   * @returns Counts of its calls.
   */
  stats(): HostStats;

  /**
   * Takes no more calls. Hands back at once those that have not begun, and waits up to `drainTimeout` for those that run; then
   * it ends these together with their workers and hands them back, too. If Redis does not answer, other hosts get them without
   * that, within `stalledInterval`.
   *
   * @returns Resolves when nothing runs here any more, some seconds after `drainTimeout` at the latest. It may be called again.
   */
  close(): Promise<void>;
}

/** What a host is made of. */
interface HostParts {
  readonly id: string;
  readonly settings: ServeSettings;
  readonly redis: Redis;
  /** Begins to read the ids of jobs that are to be stopped. */
  readStops(onStop: (id: string) => void): StreamReader;
}

/** The host that {@linkcode serve} makes. */
export class QueueHost implements Host {
  readonly #id: string;
  readonly #settings: ServeSettings;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #worker: JobWorker;
  readonly #runner: JobRunner;
  readonly #cleaner: Cleaner;
  readonly #stops: StreamReader;
  readonly #timers: readonly ReturnType<typeof setInterval>[];
  /** Calls that were done lately, per second. */
  #rate = 0;
  /** When the rate was counted last, and how many calls were done by then. */
  #counted = { at: performance.now(), done: 0 };
  #closing: Promise<void> | undefined;
  /** Why the host had to close. */
  #broken: { readonly error: unknown } | undefined;
  readonly #closed: Deferred<void> = deferred();
  readonly #page: HealthPage | undefined;
  /** How often the connection to Redis was lost. */
  #reconnects = 0;

  constructor({ id, settings, redis, readStops }: HostParts) {
    const { prefix, queue, name, stalledInterval } = settings;
    this.#id = id;
    this.#settings = settings;
    this.#redis = redis;
    this.#keys = new Keys(prefix, queue);
    this.#closed.promise.catch(() => {}); // it is no unhandled rejection when nobody waits for it
    this.#cleaner = new Cleaner(id, redis, this.#keys, settings.keepCount);
    this.#runner = new JobRunner(settings, this.#keys, redis, new Refusals(id, redis, this.#keys), {
      setConcurrency: (most) => this.#worker.concurrency = most,
      isDrained: () => this.#worker.isDrained,
      onUnfit: (error) => {
        if (this.#broken || this.#closing) return;
        this.#broken = { error };
        this.#report(error);
        background(this.close(), (error) => this.#report(error));
      },
    });
    // A third each: the lock has to run out, and then the job has to be found without one twice.
    const third = Math.ceil(stalledInterval / 3);
    this.#worker = new JobWorker(queue, (job, token) => this.#runner.process(job as KeptJob, token!), {
      connection: redis,
      prefix,
      name,
      autorun: false,
      concurrency: 1, // the runner says when it is more
      lockDuration: third,
      stalledInterval: third,
      maxStalledCount: Number.MAX_SAFE_INTEGER, // each call has a limit of its own
      runRetryDelay: RETRY_DELAY,
    });
    // The arguments' text is in JSON once more: its quotes take two characters there. Some names, or quotes, are around it.
    this.#worker.longest = 2 * roomFor(settings.maxPayload) + 20 * LONGEST_NAME + 3 * MOST_ITEMS;
    this.#worker.isFull = () => this.#runner.size >= this.#worker.concurrency;
    this.#worker.on("drained", () => this.#runner.drained());
    const onFinished = (job: Job | undefined) => job && this.#cleaner.finished(job.id!, (job as KeptJob).keep);
    this.#worker.on("completed", onFinished).on("failed", onFinished);
    this.#worker.on("error", (error) => {
      // BullMQ repeats what the connection has failed; and a job whose lock is lost is another host's.
      if (isJobGone(error)) settings.notices.error(jobsLost(), "lost");
      else if (!isConnectionError(error) && !isLockLost(error)) this.#report(error);
    });
    this.#stops = readStops((id) => this.#runner.stop(id));
    redis.on("reconnecting", () => this.#reconnects++);
    this.#page = settings.health && new HealthPage({
      dead: () => this.#broken ? ["its executor has ended, or a module of tasks fails to load"] : [],
      unready: () => [
        ...(this.#closing ? ["it closes"] : []),
        ...(this.#redis.status === "ready" ? [] : ["Redis cannot be reached"]),
      ],
      metrics: () => this.#metrics(),
    });
    this.#timers = [
      setInterval(() => {
        background(this.#beat(), (error) => this.#report(error));
        this.#clean();
      }, HEARTBEAT),
      // Four looks in that time: a call waits a quarter longer at most.
      setInterval(() => this.#runner.handBackLate(), PATIENCE / 4),
    ];
  }

  get name(): string {
    return this.#settings.name;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get healthPort(): number | undefined {
    return this.#page?.port;
  }

  stats(): HostStats {
    const { name, workers, modules } = this.#settings;
    const { size, replies: { completed, failed } } = this.#runner;
    return { name, runtime, workers, running: size, completed, failed, rate: this.#rate, tasks: [...modules.keys()] };
  }

  /** Begins to take calls; resolves when the host does, and is in the set of hosts. */
  async begin(): Promise<void> {
    await this.#page?.listen(this.#settings.health!);
    await this.#worker.waitUntilReady();
    await this.#beat(); // first, so that the error of an unknown task names this host, too
    this.#worker.run().catch((error) => this.#report(error));
    this.#clean();
  }

  close(): Promise<void> {
    return this.#closing ??= holding(this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Waits until BullMQ's worker has closed, but no longer than Redis may take: it would wait for ever. */
  async #untilClosed(closed: Promise<void>, timeout: number): Promise<void> {
    const late = deferred<void>(), { size } = this.#runner;
    const timer = startTimer(timeout, () => {
      this.#settings.notices.line(leftBehind(timeout, size > 0 ? [`calls that run elsewhere later: ${size}`] : []));
      this.#redis.disconnect();
      background(this.#worker.disconnect(), () => {}); // it is disconnected already
      late.resolve();
    });
    await Promise.race([closed.catch(() => {}), late.promise]); // the connection may be lost
    timer.clear();
  }

  #report(error: unknown): void {
    this.#settings.notices.error(error);
  }

  /** Removes what is left of finished jobs. Before anything was finished, too: other hosts may have left it. */
  #clean(): void {
    background(this.#cleaner.clean(), (error) => {
      if (!isConnectionError(error) && !isRefusal(error)) this.#report(error); // the next turn comes soon
    });
  }

  /** Says in Redis that the host lives, and what it is doing. */
  async #beat(): Promise<void> {
    this.#stops.check();
    const at = performance.now(), { completed, failed } = this.#runner.replies, done = completed + failed;
    this.#rate = Math.round((done - this.#counted.done) / Math.max(at - this.#counted.at, 1) * 1000);
    this.#counted = { at, done };
    try {
      await this.#redis.multi().set(this.#keys.host(this.#id), JSON.stringify(this.stats()), "PX", HOST_TTL)
        .sadd(this.#keys.hosts, this.#id).exec();
      await this.#runner.stopOrphans();
    } catch {
      // The next beat comes soon.
    }
  }

  /** What a scraper reads. How many calls wait is asked of Redis, and left out when that does not answer. */
  async #metrics(): Promise<string> {
    const { size, replies: { completed, failedBy, durations } } = this.#runner;
    const labels = { queue: this.#settings.queue, host: this.name };
    const waiting = await this.#countWaiting();
    const numbers: Metric[] = [
      {
        name: "futures_host_calls_total",
        type: "counter",
        help: "Calls that this host has answered, by how they ended, and by why they failed.",
        samples: [
          { labels: { outcome: "completed" }, value: completed },
          ...failures(failedBy),
        ],
      },
      gauge("futures_host_calls", "Calls that this host has; it may have taken some ahead.", size),
      gauge("futures_host_workers", "Calls that this host runs at the same time at most.", this.#settings.workers),
      {
        name: "futures_host_reconnects_total",
        type: "counter",
        help: "How often this host has lost its connection to Redis.",
        samples: [{ value: this.#reconnects }],
      },
      ...(waiting === undefined
        ? []
        : [gauge("futures_queue_waiting", "Calls of the queue that no host has: scale the hosts by it.", waiting)]),
    ];
    return writeMetrics(numbers, labels) +
      durations.write("futures_host_call_duration_seconds", "How long calls took, in the host.", labels);
  }

  async #countWaiting(): Promise<number | undefined> {
    if (this.#redis.status !== "ready") return undefined; // a command would wait until it is
    let timer: Timer | undefined;
    const late = new Promise<undefined>((resolve) => timer = startTimer(SCRAPE_LIMIT, () => resolve(undefined)));
    const counts = this.#redis.multi().llen(this.#keys.waiting).zcard(this.#keys.prioritized).exec()
      .then((replies) => replies?.reduce((sum, [, count]) => sum + Number(count ?? 0), 0), () => undefined);
    const count = await Promise.race([counts, late]);
    timer?.clear();
    return count;
  }

  async #close(): Promise<void> {
    const { executor, owned, drainTimeout } = this.#settings;
    const closed = this.#worker.close(); // which waits for the jobs
    this.#runner.close();
    const timer = startTimer(drainTimeout, () => this.#runner.giveUp());
    await this.#untilClosed(closed, (this.#runner.size > 0 ? drainTimeout : 0) + END_MARGIN);
    timer.clear();
    for (const timer of this.#timers) clearInterval(timer);
    this.#stops.end();
    try {
      if (this.#redis.status === "ready") {
        const kept = this.#cleaner.keep();
        const gone = this.#redis.multi().del(this.#keys.host(this.#id)).srem(this.#keys.hosts, this.#id).exec();
        await answered(this.#redis, END_MARGIN, Promise.all([kept, gone]));
      }
    } catch {
      // The key expires.
    }
    this.#redis.disconnect();
    this.#page?.close();
    if (owned) {
      executor.killWorkers(); // nobody waits for the results of what still runs
      await executor.shutdown();
    }
    if (this.#broken) this.#closed.reject(this.#broken.error);
    else this.#closed.resolve();
  }
}
