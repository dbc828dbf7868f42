// A host: takes jobs from the queue and runs their calls in a local executor, so that none of them holds up what BullMQ
// has to do meanwhile, and each can be stopped as any local call.

import { type Job, WaitingError, Worker as JobWorker } from "bullmq";
import type { Redis } from "ioredis";
import { BrokenExecutor, CancelledError, ShutdownError, TimeoutError, WorkerLostError } from "../executor/errors.ts";
import type { Future } from "../executor/future.ts";
import { report } from "../executor/report.ts";
import { startTimer } from "../executor/timer.ts";
import { runtime } from "../runtime.ts";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { decode, encode, encodeFailure } from "./codec.ts";
import { isConnectionError } from "./connection.ts";
import { Feed } from "./feed.ts";
import { type HostStats, type JobData, Keys, LONG_REPLY, readHost, readJob, type Reply } from "./protocol.ts";
import type { ServeSettings } from "./serve_options.ts";
import type { StreamReader } from "./stream_reader.ts";

/** How often a host says that it lives, and for how long that holds, in milliseconds. */
const HEARTBEAT = 5000, HOST_TTL = 3 * HEARTBEAT;

/** How long calls may wait behind a long one before they are handed back, in milliseconds: another host may be idle. */
const PATIENCE = 200;

/** Jobs that were to be stopped and are not known here are remembered for so long, in milliseconds. */
const STOP_MEMORY = 60_000;

/** The pause after an error of the connection, in milliseconds. */
const RETRY_DELAY = 500;

declare function setImmediate(fn: () => void): unknown;

/** A call that the host has. */
interface Taken {
  readonly data: JobData;
  /** Stops it while it runs; only for those that may have to be. */
  readonly controller: AbortController | undefined;
  readonly since: number;
  future: Future<unknown> | undefined;
  /** Resolves when it is handed back, whatever becomes of it here. */
  readonly handedBack: Promise<typeof BACK>;
  handBack(): void;
}

const BACK: unique symbol = Symbol("handed back");

/** A program that runs the calls of a queue, see {@linkcode serve}. */
export class Host implements AsyncDisposable {
  readonly #settings: ServeSettings;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #id: string;
  readonly #worker: JobWorker;
  readonly #taken = new Map<string, Taken>();
  readonly #stopped = new Map<string, number>();
  readonly #feed: Feed;
  readonly #stops: StreamReader;
  readonly #timers: ReturnType<typeof setInterval>[];
  #completed = 0;
  #failed = 0;
  #rate = 0;
  #doneBefore = 0;
  #turn: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #closed: Promise<void>;
  #resolveClosed!: () => void;
  #rejectClosed!: (error: unknown) => void;
  #broken: { readonly error: unknown } | undefined;

  /** Made by {@linkcode serve}. */
  constructor(settings: object, id: string, redis: object, readStops: (onStop: (id: string) => void) => object) {
    this.#settings = settings as ServeSettings;
    this.#id = id;
    this.#redis = redis as Redis;
    const { prefix, queue, workers, name, stalledInterval } = this.#settings;
    this.#keys = new Keys(prefix, queue);
    this.#feed = new Feed(workers);
    this.#closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#rejectClosed = reject;
    });
    this.#closed.catch(() => {}); // whoever asks is told
    // A third each: the lock has to run out, and then the job has to be found without one twice.
    const third = Math.ceil(stalledInterval / 3);
    this.#worker = new JobWorker(queue, (job, token) => this.#process(job, token!), {
      connection: this.#redis,
      prefix,
      name,
      concurrency: workers,
      lockDuration: third,
      stalledInterval: third,
      maxStalledCount: Number.MAX_SAFE_INTEGER, // it is the call that knows how often
      runRetryDelay: RETRY_DELAY,
    });
    this.#worker.on("error", (error) => {
      // It is tried again; and who has lost a lock has lost the job to another host.
      if (!isConnectionError(error) && !/lock/i.test(error.message)) report("Error of host", name, error);
    });
    this.#stops = readStops((id) => this.#stop(id)) as StreamReader;
    this.#timers = [
      setInterval(() => void this.#beat(), HEARTBEAT),
      setInterval(() => this.#handBackLate(), PATIENCE),
    ];
  }

  /** The host's name. */
  get name(): string {
    return this.#settings.name;
  }

  /** Resolves when the host has closed. Rejects with the reason when it had to, as its executor is broken. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Waits until it takes calls. */
  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
    await this.#beat();
  }

  /** What it is doing. */
  stats(): HostStats {
    const { name, workers, modules } = this.#settings;
    return {
      name,
      runtime,
      workers,
      running: this.#taken.size,
      completed: this.#completed,
      failed: this.#failed,
      rate: this.#rate,
      tasks: [...modules.keys()],
    };
  }

  /**
   * Takes no more calls. Those that have not begun are handed back at once, those that run are waited for, for as long as
   * `drainTimeout` says; then they are ended and handed back, too.
   *
   * @returns Resolves when nothing runs here any more. It may be called again.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The end of `await using`: as {@linkcode Host.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // --- one job

  async #process(job: Job, token: string): Promise<Reply> {
    const id = job.id!;
    const data = readJob(job.data);
    if (!data) {
      return this.#failure(new TypeError(`Job ${id} is no call of an executor: use another queue for it`), "host");
    }
    const taken = newTaken(data);
    this.#taken.set(id, taken);
    this.#worker.concurrency = this.#feed.take(this.#taken.size);
    try {
      const reply = this.#closing ? BACK : await Promise.race([this.#run(job, taken), taken.handedBack]);
      if (reply !== BACK) return await this.#store(id, reply);
    } finally {
      this.#taken.delete(id);
    }
    try {
      await job.moveToWait(token);
    } catch {
      // Another host gets it when the lock runs out.
    }
    throw new WaitingError();
  }

  async #run(job: Job, taken: Taken): Promise<Reply | typeof BACK> {
    const { data, controller } = taken;
    const { queue, modules } = this.#settings;
    if (job.stalledCounter > data.redeliveries) {
      const error = new WorkerLostError({ workerName: `of queue ${queue}`, started: "unknown", error: lossOf(job) });
      return this.#failure(error, "host");
    }
    if (data.owner !== undefined && await this.#redis.exists(this.#keys.owner(data.owner)) === 0) this.#stop(job.id!);
    if (this.#isStopped(job.id!)) return { cancelled: true };
    const task = modules.get(data.module)?.[data.name];
    if (!task) return this.#failure(new TypeError(await this.#unknown(data)), "host");
    try {
      const args = decode(data.args, NO_TYPES);
      if (!Array.isArray(args)) throw new TypeError(`Job ${job.id} has no arguments`);
      // With every worker busy there is no hurry: those that came together go to the workers together.
      if (this.#taken.size > this.#settings.workers) await this.#endOfTurn();
      if (this.#isStopped(job.id!)) return { cancelled: true };
      const future = this.#withOptions(data, controller).submit(task, ...args);
      taken.future = future;
      const value = await future;
      this.#completed++;
      this.#worker.concurrency = this.#feed.done(performance.now() - taken.since);
      return { ok: encode(value, this.#settings.maxPayload) };
    } catch (error) {
      if (error instanceof CancelledError && (controller?.signal.aborted || this.#isStopped(job.id!))) {
        return { cancelled: true };
      }
      if (isEnd(error)) {
        this.#break(error);
        return BACK;
      }
      if (isUnknownExport(error, data)) return this.#failure(new TypeError(await this.#unknown(data, error)), "host");
      const ofExecutor = error instanceof WorkerLostError || error instanceof TimeoutError;
      return this.#failure(error, ofExecutor ? "host" : "task");
    }
  }

  #endOfTurn(): Promise<void> {
    return this.#turn ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#turn = undefined;
        resolve();
      })
    );
  }

  #withOptions({ timeout, grace, retries }: JobData, controller: AbortController | undefined) {
    const { executor } = this.#settings;
    if (timeout === undefined && retries === undefined && !controller) return executor;
    return executor.with({
      ...(timeout === undefined ? undefined : { timeout }),
      ...(grace === undefined ? undefined : { grace }),
      ...(retries === undefined ? undefined : { retries }),
      ...(controller ? { signal: controller.signal } : undefined),
    });
  }

  #failure(error: unknown, by: "task" | "host"): Reply {
    this.#failed++;
    return { failure: encodeFailure(error, this.#settings.maxPayload), by };
  }

  /** A long reply has a key of its own. */
  async #store(id: string, reply: Reply): Promise<Reply> {
    const text = "ok" in reply ? reply.ok : "failure" in reply ? reply.failure : "";
    if (text.length < LONG_REPLY) return reply;
    await this.#redis.set(this.#keys.reply(id), JSON.stringify(reply), "PX", Math.max(this.#settings.keepJobs, 1));
    return { stored: true };
  }

  /** Says who serves what. */
  async #unknown({ module, name }: JobData, error?: Error): Promise<string> {
    const { queue } = this.#settings;
    const ids = await this.#redis.smembers(this.#keys.hosts);
    const hosts = await Promise.all(ids.map(async (id) => readHost(await this.#redis.get(this.#keys.host(id)))));
    const served = hosts.filter((host) => host !== undefined).map(({ name, tasks }) => `${name} (${tasks.join(", ")})`);
    const what = error
      ? `${error.message}. It`
      : `Cannot find the task '${name}' as there is no module '${module}'. It`;
    return `${what} was looked for by host ${this.name}; the hosts of queue '${queue}' serve: ${served.join("; ")}`;
  }

  // --- stopping

  #stop(id: string): void {
    this.#stopped.set(id, performance.now());
    const taken = this.#taken.get(id);
    if (taken && !taken.future?.cancel()) taken.controller?.abort(new CancelledError());
  }

  #isStopped(id: string): boolean {
    return this.#stopped.has(id);
  }

  /** Calls that wait behind others for long are handed back, as far as they were taken ahead. */
  #handBackLate(): void {
    let most = this.#taken.size - this.#settings.workers;
    if (most <= 0) return;
    const before = performance.now() - PATIENCE;
    for (const taken of [...this.#taken.values()].reverse()) {
      if (taken.since > before || !taken.future?.cancel()) continue;
      this.#worker.concurrency = this.#feed.slow(PATIENCE);
      taken.handBack();
      if (--most === 0) return;
    }
  }

  // --- being there

  async #beat(): Promise<void> {
    const now = performance.now();
    for (const [id, since] of this.#stopped) if (now - since > STOP_MEMORY) this.#stopped.delete(id);
    this.#stops.check();
    const done = this.#completed + this.#failed;
    this.#rate = (done - this.#doneBefore) / (HEARTBEAT / 1000);
    this.#doneBefore = done;
    try {
      await this.#redis.multi().set(this.#keys.host(this.#id), JSON.stringify(this.stats()), "PX", HOST_TTL)
        .sadd(this.#keys.hosts, this.#id).exec();
      await this.#stopOrphans();
    } catch {
      // The next one comes soon.
    }
  }

  async #stopOrphans(): Promise<void> {
    const owners = new Set([...this.#taken.values()].map(({ data }) => data.owner));
    for (const owner of owners) {
      if (owner === undefined || await this.#redis.exists(this.#keys.owner(owner)) > 0) continue;
      for (const [id, { data }] of this.#taken) if (data.owner === owner) this.#stop(id);
    }
  }

  // --- the end

  /** Nothing can run here any more: others get what it has. */
  #break(error: unknown): void {
    this.#broken ??= { error };
    void this.close();
  }

  async #close(): Promise<void> {
    const { executor, owned, drainTimeout } = this.#settings;
    const closed = this.#worker.close();
    for (const taken of this.#taken.values()) if (taken.future?.cancel()) taken.handBack();
    const timer = startTimer(drainTimeout, () => {
      for (const taken of this.#taken.values()) {
        taken.controller?.abort(new CancelledError("The host was closed"));
        taken.handBack();
      }
    });
    await closed.catch(() => {});
    timer.clear();
    for (const timer of this.#timers) clearInterval(timer);
    this.#stops.end();
    try {
      await this.#redis.multi().del(this.#keys.host(this.#id)).srem(this.#keys.hosts, this.#id).exec();
    } catch {
      // It expires.
    }
    this.#redis.disconnect();
    if (owned) {
      // What is left runs for nobody.
      executor.killWorkers();
      await executor.shutdown();
    }
    if (this.#broken) this.#rejectClosed(this.#broken.error);
    else this.#resolveClosed();
  }
}

const NO_TYPES: ReadonlyMap<string, ErrorConstructorLike> = new Map();

function newTaken(data: JobData): Taken {
  let handBack!: () => void;
  const handedBack = new Promise<typeof BACK>((resolve) => handBack = () => resolve(BACK));
  const controller = data.stoppable ? new AbortController() : undefined;
  return { data, controller, since: performance.now(), future: undefined, handedBack, handBack };
}

/** Whether the executor itself has ended. A lost worker is not the end of it. */
function isEnd(error: unknown): boolean {
  return error instanceof ShutdownError || (error instanceof BrokenExecutor && !(error instanceof WorkerLostError));
}

function isUnknownExport(error: unknown, { name }: JobData): error is TypeError {
  return error instanceof TypeError && error.message.startsWith(`Cannot find the task '${name}' as module `);
}

function lossOf(job: Job): Error {
  return new Error(`The call was delivered ${job.stalledCounter} times to a host that was lost`);
}
