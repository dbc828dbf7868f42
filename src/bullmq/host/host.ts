// A host: takes jobs from the queue and runs their calls in a local executor, so that none of them holds up what BullMQ
// has to do meanwhile, and each can be stopped as any local call.

import type { Redis } from "ioredis";
import { report } from "../../report.ts";
import { startTimer } from "../../future/timer.ts";
import { runtime } from "../../runtime.ts";
import { roomFor } from "../codec.ts";
import { holding, isConnectionError, withoutCommand } from "../connection.ts";
import { JobRunner, PATIENCE } from "./job_runner.ts";
import { JobWorker } from "./job_worker.ts";
import { type HostStats, Keys, LONGEST_NAME } from "../protocol.ts";
import type { ServeSettings } from "./serve_options.ts";
import type { StreamReader } from "../stream_reader.ts";

/** How often a host says that it lives, and for how long that holds, in milliseconds. */
const HEARTBEAT = 5000, HOST_TTL = 3 * HEARTBEAT;

/** The pause after an error of the connection, in milliseconds. */
const RETRY_DELAY = 500;

/** What {@linkcode serve} gives a host. The library makes it; there is nothing in it for a program. */
export interface HostParts {
  /** The host's id. */
  readonly id: string;
}

/** The same, as the library knows it. */
export interface Parts extends HostParts {
  readonly settings: ServeSettings;
  readonly redis: Redis;
  /** Begins to read which jobs are to be stopped. */
  readStops(onStop: (id: string) => void): StreamReader;
}

/** A program that runs the calls of a queue, see {@linkcode serve}. */
export class Host implements AsyncDisposable {
  readonly #id: string;
  readonly #settings: ServeSettings;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #worker: JobWorker;
  readonly #runner: JobRunner;
  readonly #stops: StreamReader;
  readonly #timers: readonly ReturnType<typeof setInterval>[];
  #rate = 0;
  /** When the rate was counted last, and how many calls were done then. */
  #counted = { at: performance.now(), done: 0 };
  #closing: Promise<void> | undefined;
  #broken: { readonly error: unknown } | undefined;
  readonly #closed: Promise<void>;
  #settleClosed!: { resolve(): void; reject(error: unknown): void };

  /** Made by {@linkcode serve}. */
  constructor(parts: HostParts) {
    const { id, settings, redis, readStops } = parts as Parts;
    const { prefix, queue, name, stalledInterval } = settings;
    this.#id = id;
    this.#settings = settings;
    this.#redis = redis;
    this.#keys = new Keys(prefix, queue);
    this.#closed = new Promise((resolve, reject) => this.#settleClosed = { resolve, reject });
    this.#closed.catch(() => {}); // whoever asks is told
    this.#runner = new JobRunner(settings, this.#keys, redis, {
      setConcurrency: (most) => this.#worker.concurrency = most,
      onExecutorEnd: (error) => {
        this.#broken ??= { error };
        void this.close();
      },
    });
    // A third each: the lock has to run out, and then the job has to be found without one twice.
    const third = Math.ceil(stalledInterval / 3);
    this.#worker = new JobWorker(queue, (job, token) => this.#runner.process(job, token!), {
      connection: redis,
      prefix,
      name,
      autorun: false,
      concurrency: 1, // the runner says when it is more
      lockDuration: third,
      stalledInterval: third,
      maxStalledCount: Number.MAX_SAFE_INTEGER, // it is the call that knows how often
      runRetryDelay: RETRY_DELAY,
    });
    // The arguments' text is in JSON once more: its quotes take two characters there. Some names are around it.
    this.#worker.longest = 2 * roomFor(settings.maxPayload) + 20 * LONGEST_NAME;
    this.#worker.on("drained", () => this.#runner.drained());
    this.#worker.on("error", (error) => {
      // It is tried again; and who has lost a lock has lost the job to another host.
      if (!isConnectionError(error) && !/lock/i.test(error.message)) {
        report("Error of host", name, withoutCommand(error));
      }
    });
    this.#stops = readStops((id) => this.#runner.stop(id));
    this.#timers = [
      setInterval(() => void this.#beat(), HEARTBEAT),
      setInterval(() => this.#runner.handBackLate(), PATIENCE),
    ];
  }

  /** The host's name. */
  get name(): string {
    return this.#settings.name;
  }

  /** Resolves when the host has closed. Rejects with the reason when it had to, as its executor has ended. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /**
   * What the host is doing.
   *
   * @returns Counts of its calls.
   */
  stats(): HostStats {
    const { name, workers, modules } = this.#settings;
    const { size, completed, failed } = this.#runner;
    return { name, runtime, workers, running: size, completed, failed, rate: this.#rate, tasks: [...modules.keys()] };
  }

  /**
   * Begins to take calls; {@linkcode serve} has done so.
   *
   * @returns Resolves when it does.
   */
  async begin(): Promise<void> {
    await this.#worker.waitUntilReady();
    await this.#beat();
    // Not before: who asks for the hosts that serve something is to see this one.
    this.#worker.run().catch((error) => report("Error of host", this.name, withoutCommand(error)));
  }

  /**
   * Takes no more calls. Those that have not begun are handed back at once, those that run are waited for, for as long as
   * `drainTimeout` says; then they are ended and handed back, too.
   *
   * @returns Resolves when nothing runs here any more. It may be called again.
   */
  close(): Promise<void> {
    return this.#closing ??= holding(this.#close());
  }

  /** The end of `await using`: as {@linkcode Host.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Says that it lives. */
  async #beat(): Promise<void> {
    this.#stops.check();
    const at = performance.now(), done = this.#runner.completed + this.#runner.failed;
    this.#rate = Math.round((done - this.#counted.done) / Math.max(at - this.#counted.at, 1) * 1000);
    this.#counted = { at, done };
    try {
      await this.#redis.multi().set(this.#keys.host(this.#id), JSON.stringify(this.stats()), "PX", HOST_TTL)
        .sadd(this.#keys.hosts, this.#id).exec();
      await this.#runner.stopOrphans();
    } catch {
      // The next one comes soon.
    }
  }

  async #close(): Promise<void> {
    const { executor, owned, drainTimeout } = this.#settings;
    const closed = this.#worker.close(); // which waits for the jobs
    this.#runner.close();
    const timer = startTimer(drainTimeout, () => this.#runner.giveUp());
    await closed.catch(() => {}); // the connection is lost, say
    timer.clear();
    for (const timer of this.#timers) clearInterval(timer);
    this.#stops.end();
    try {
      if (this.#redis.status === "ready") {
        await this.#redis.multi().del(this.#keys.host(this.#id)).srem(this.#keys.hosts, this.#id).exec();
      }
    } catch {
      // It expires.
    }
    this.#redis.disconnect();
    if (owned) {
      executor.killWorkers(); // what is left runs for nobody
      await executor.shutdown();
    }
    if (this.#broken) this.#settleClosed.reject(this.#broken.error);
    else this.#settleClosed.resolve();
  }
}
