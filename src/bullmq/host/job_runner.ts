// Runs the calls of jobs in the host's local executor: from a job to its reply, or back into the queue.

import { type Job, WaitingError } from "bullmq";
import type { Redis } from "ioredis";
import { BrokenExecutor, CancelledError, ShutdownError, TimeoutError, WorkerLostError } from "../../future/errors.ts";
import type { Executor } from "../../executor/executor.ts";
import type { Future } from "../../future/future.ts";
import type { ErrorConstructorLike } from "../../wire/error_class.ts";
import { readHosts } from "../hosts.ts";
import { decode, encode, encodeFailure } from "../codec.ts";
import { Feed } from "./prefetch.ts";
import { type JobData, type Keys, LONG_REPLY, readJob, type Reply } from "../protocol.ts";
import type { ServeSettings, Task } from "./serve_options.ts";

/** How long calls may wait behind a long one before they are handed back, in milliseconds: another host may be idle. */
export const PATIENCE = 200;

/** How long short calls wait for company, in milliseconds. */
const GATHERING = 1;

/** Jobs that were to be stopped and are not known here are remembered for so long, in milliseconds. */
const STOP_MEMORY = 60_000;

/** So many stops are remembered at most, the last ones: more than the stream of them keeps. */
const MOST_STOPS = 20_000;

/** What a function can be called with, on every runtime. */
const MOST_ARGUMENTS = 65_535;

/**
 * How many names a module is asked for at most. Each that the local executor has been asked for is remembered there, whether the
 * module exports it or not.
 */
const MOST_NAMES = 10_000;

/** How many hosts an error names. */
const MOST_HOSTS = 20;

const BACK: unique symbol = Symbol("handed back");
const NO_TYPES: ReadonlyMap<string, ErrorConstructorLike> = new Map();

/** A call that the host has. */
interface Taken {
  readonly data: JobData;
  /** Stops it while it runs; only for those that may have to be. */
  readonly controller: AbortController | undefined;
  /** When it was given to the executor. */
  since: number;
  future: Future<unknown> | undefined;
  /** Resolves when it is handed back, whatever becomes of it here. */
  readonly handedBack: Promise<typeof BACK>;
  handBack(): void;
}

/** What the host does for it. */
interface RunnerActions {
  /** Takes so many jobs at the same time from now on. */
  setConcurrency(most: number): void;
  /** The executor runs nothing any more. */
  onExecutorEnd(error: unknown): void;
}

/** Runs calls. */
export class JobRunner {
  completed = 0;
  failed = 0;
  readonly #settings: ServeSettings;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #actions: RunnerActions;
  readonly #feed: Feed;
  readonly #taken = new Map<string, Taken>();
  /** Jobs that were told to stop, and when: one may come here only then. */
  readonly #stopped = new Map<string, number>();
  /** What each module was asked for. */
  readonly #names = new Map<string, Set<string>>();
  #drained = false;
  #gathering: Promise<void> | undefined;
  #closing = false;

  constructor(settings: ServeSettings, keys: Keys, redis: Redis, actions: RunnerActions) {
    this.#settings = settings;
    this.#keys = keys;
    this.#redis = redis;
    this.#actions = actions;
    this.#feed = new Feed(settings.workers);
  }

  /** How many calls it has. */
  get size(): number {
    return this.#taken.size;
  }

  /**
   * Does a job.
   *
   * @param job Somebody's: nothing about it is trusted.
   * @param token BullMQ's proof that this host has it.
   * @returns The reply.
   * @throws {WaitingError} (rejects) when it was handed back.
   */
  async process(job: Job, token: string): Promise<Reply> {
    const id = job.id!;
    const data = readJob(job.data);
    if (!data) {
      return this.#failure(new TypeError(`Job ${id} is no call of an executor: use another queue for it`), "host");
    }
    const taken = newTaken(data);
    this.#taken.set(id, taken);
    this.#drained = false;
    this.#actions.setConcurrency(this.#feed.take(this.#taken.size));
    try {
      const reply = this.#closing ? BACK : await Promise.race([this.#run(job, taken), taken.handedBack]);
      if (reply !== BACK) return await this.#store(id, reply);
    } finally {
      this.#taken.delete(id);
      this.#rest();
    }
    try {
      await job.moveToWait(token);
    } catch {
      // Another host gets it when the lock runs out.
    }
    throw new WaitingError();
  }

  /** The queue is empty. */
  drained(): void {
    this.#drained = true;
    this.#rest();
  }

  /** Stops a job, now or when it comes. */
  stop(id: string): void {
    this.#stopped.set(id, performance.now());
    if (this.#stopped.size > MOST_STOPS) this.#stopped.delete(this.#stopped.keys().next().value!);
    const taken = this.#taken.get(id);
    if (taken && !taken.future?.cancel()) taken.controller?.abort(new CancelledError());
  }

  /** Stops the jobs whose executors have died, and forgets stops of long ago. */
  async stopOrphans(): Promise<void> {
    const before = performance.now() - STOP_MEMORY;
    for (const [id, since] of this.#stopped) if (since < before) this.#stopped.delete(id);
    for (const owner of new Set([...this.#taken.values()].map(({ data }) => data.owner))) {
      if (owner === undefined || await this.#redis.exists(this.#keys.owner(owner)) > 0) continue;
      for (const [id, { data }] of this.#taken) if (data.owner === owner) this.stop(id);
    }
  }

  /** Calls that wait behind others for long are handed back, as far as they were taken ahead. */
  handBackLate(): void {
    let most = this.#taken.size - this.#settings.workers;
    const before = performance.now() - PATIENCE;
    for (const taken of [...this.#taken.values()].reverse()) {
      if (most <= 0) return;
      if (taken.since > before || !taken.future?.cancel()) continue;
      this.#actions.setConcurrency(this.#feed.slow(PATIENCE));
      taken.handBack();
      most--;
    }
  }

  /** Begins nothing any more: what has not begun is handed back. */
  close(): void {
    this.#closing = true;
    for (const taken of this.#taken.values()) if (taken.future?.cancel()) taken.handBack();
  }

  /** Hands everything back, and lets go of what runs. */
  giveUp(): void {
    for (const { controller, handBack } of this.#taken.values()) {
      controller?.abort(new CancelledError("The host was closed"));
      handBack();
    }
  }

  async #run(job: Job, taken: Taken): Promise<Reply | typeof BACK> {
    const { data, controller } = taken, id = job.id!;
    const { maxPayload } = this.#settings;
    if (job.stalledCounter > data.redeliveries) return this.#failure(this.#loss(job), "host");
    if (data.owner !== undefined && await this.#redis.exists(this.#keys.owner(data.owner)) === 0) this.stop(id);
    const task = this.#find(data);
    if (!task) return this.#failure(new TypeError(await this.#unknown(data)), "host");
    let args: readonly unknown[];
    try {
      args = decodeArguments(data.args, maxPayload);
    } catch (cause) {
      return this.#failure(new TypeError(`Job ${id} has malformed arguments`, { cause }), "host");
    }
    // In a burst there is no hurry: short calls that come at about the same time go to the workers together.
    if (this.#feed.dense) await this.#company();
    if (this.#stopped.has(id)) return { cancelled: true };
    if (this.#closing) return BACK;
    try {
      taken.since = performance.now();
      const value = await (taken.future = this.#executorFor(taken).submit(task, ...args));
      this.completed++;
      this.#actions.setConcurrency(this.#feed.done(performance.now() - taken.since));
      return { ok: encode(value, maxPayload) };
    } catch (error) {
      if (error instanceof CancelledError && (controller?.signal.aborted || this.#stopped.has(id))) {
        return { cancelled: true };
      }
      if (isEnd(error)) {
        this.#actions.onExecutorEnd(error);
        return BACK;
      }
      if (isUnknownExport(error, data)) return this.#failure(new TypeError(await this.#unknown(data, error)), "host");
      const ofExecutor = error instanceof WorkerLostError || error instanceof TimeoutError;
      return this.#failure(error, ofExecutor ? "host" : "task");
    }
  }

  /** The task of that name; whether there is one, the local executor finds out. */
  #find({ module, name }: JobData): Task | undefined {
    const tasks = this.#settings.modules.get(module);
    if (!tasks) return undefined;
    let names = this.#names.get(module);
    if (!names) this.#names.set(module, names = new Set());
    if (!names.has(name) && names.size === MOST_NAMES) return undefined;
    names.add(name);
    return tasks[name];
  }

  /**
   * With nothing to do, one job is asked for: BullMQ (6.7) begins none before it has asked for as many as it may have, and
   * that would take the first a round trip longer.
   */
  #rest(): void {
    if (this.#drained && this.#taken.size === 0) this.#actions.setConcurrency(1);
  }

  /** Resolves when others may have come, too. */
  #company(): Promise<void> {
    return this.#gathering ??= new Promise((resolve) =>
      setTimeout(() => {
        this.#gathering = undefined;
        resolve();
      }, GATHERING)
    );
  }

  #executorFor({ data: { timeout, grace, retries }, controller }: Taken): Executor {
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
    this.failed++;
    return { failure: encodeFailure(error, this.#settings.maxPayload), by };
  }

  /** A long reply has a key of its own. */
  async #store(id: string, reply: Reply): Promise<Reply> {
    const text = "ok" in reply ? reply.ok : "failure" in reply ? reply.failure : "";
    if (text.length < LONG_REPLY) return reply;
    await this.#redis.set(this.#keys.reply(id), JSON.stringify(reply), "PX", this.#settings.keepJobs);
    return { stored: true };
  }

  #loss({ stalledCounter }: Job): WorkerLostError {
    const error = new Error(`The call was delivered ${stalledCounter} times to a host that was lost`);
    return new WorkerLostError({ workerName: `of queue ${this.#settings.queue}`, started: "unknown", error });
  }

  /** Says who serves what. */
  async #unknown({ module, name }: JobData, error?: Error): Promise<string> {
    const { queue, name: host } = this.#settings;
    const hosts = await readHosts(this.#redis, this.#keys).catch(() => []); // there may be anything in their place
    const served = hosts.slice(0, MOST_HOSTS).map(({ name, tasks }) => `${name} (${tasks.join(", ")})`);
    if (hosts.length > MOST_HOSTS) served.push(`${hosts.length - MOST_HOSTS} more`);
    const what = error?.message ?? `Cannot find the task '${name}' as there is no module '${module}'`;
    return `${what}. It was looked for by host ${host}; the hosts of queue '${queue}' serve: ${served.join("; ")}`;
  }
}

function newTaken(data: JobData): Taken {
  let handBack!: () => void;
  const handedBack = new Promise<typeof BACK>((resolve) => handBack = () => resolve(BACK));
  const controller = data.stoppable ? new AbortController() : undefined;
  return { data, controller, since: performance.now(), future: undefined, handedBack, handBack };
}

function decodeArguments(text: string, limit: number): readonly unknown[] {
  const args = decode(text, NO_TYPES, limit);
  if (Array.isArray(args) && args.length <= MOST_ARGUMENTS) return args;
  throw new TypeError("They are no array of a usable length");
}

/** Whether the executor itself has ended. A lost worker is not the end of it. */
function isEnd(error: unknown): boolean {
  return error instanceof ShutdownError || (error instanceof BrokenExecutor && !(error instanceof WorkerLostError));
}

function isUnknownExport(error: unknown, { name }: JobData): error is TypeError {
  return error instanceof TypeError && error.message.startsWith(`Cannot find the task '${name}' as module `);
}
