// Runs the calls of jobs in the host's local executor: from a job to its reply, or back into the queue.

import { DelayedError, type Job, WaitingError } from "bullmq";
import type { Redis } from "ioredis";
import type { ExecutorView } from "../../executor/executor.ts";
import { CancelledError } from "../../future/errors.ts";
import { endCall } from "../../future/future.ts";
import { encode, encodeFailure } from "../codec.ts";
import { isConnectionError } from "../connection.ts";
import { Durations } from "../metrics.ts";
import { type JobData, type Keys, LONG_REPLY, readJob, type Reply } from "../protocol.ts";
import { ActiveCall, BACK } from "./active_call.ts";
import { decodeArguments } from "./call_arguments.ts";
import {
  hostsLost,
  hostUnfit,
  isExecutorEnd,
  isModuleNotLoaded,
  isOfExecutor,
  isTaskNotFound,
  taskNotFound,
} from "./host_errors.ts";
import { LOST } from "./job_worker.ts";
import { dropJob } from "./lost_jobs.ts";
import { Prefetch } from "./prefetch.ts";
import type { Refusals } from "./refusals.ts";
import type { ServeSettings } from "./serve_options.ts";
import type { Task } from "../../task/task.ts";

/** How long a call may wait behind a long one before the host hands it back, in milliseconds: another host may be idle. */
export const PATIENCE = 200;

/** How long short calls wait for others to come, in milliseconds. */
const GATHERING = 1;

/** How long the host remembers a stop of a job that it does not have, in milliseconds. */
const STOP_MEMORY = 60_000;

/** Maximum number of stops that it remembers, the last ones: more than their stream keeps. */
const MOST_STOPS = 20_000;

/** How many hosts a call may cost, whatever its job says. */
const MOST_LOSSES = 100;

/**
 * Maximum number of names that a module is asked for. The local executor remembers each, whether the module exports it or
 * not, and jobs can name anything.
 */
const MOST_NAMES = 10_000;

/** The pause of a call that cannot be handed on as the connection was lost, in milliseconds. */
const AGAIN = 1000;

/** What a runner asks of its host. */
interface RunnerActions {
  /** Sets how many jobs the host takes at the same time. */
  setConcurrency(most: number): void;
  /** This host cannot run calls any more: its executor has ended, or a module keeps failing to load. */
  onUnfit(error: unknown): void;
}

/** The job is for another host, after a pause in milliseconds: there is no reply. */
interface PassedOn {
  readonly delay: number;
}

/** Runs the calls of one host. */
export class JobRunner {
  /** Calls whose task has returned. */
  completed = 0;
  /** Calls whose task has thrown, or that could not be run. */
  failed = 0;
  /** Of these, those that the host could not run, or whose worker it lost: the others have thrown. */
  failedByHost = 0;
  /** How long calls took whose task has returned or thrown, from the local executor's point of view. */
  readonly durations: Durations = new Durations();
  readonly #settings: ServeSettings;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #actions: RunnerActions;
  readonly #refusals: Refusals;
  readonly #prefetch: Prefetch;
  /** By the ids of their jobs. */
  readonly #active = new Map<string, ActiveCall>();
  /** Ids of jobs that are to be stopped, and since when: the stop may come before the job. */
  readonly #stopped = new Map<string, number>();
  /** The names that each module was asked for. */
  readonly #names = new Map<string, Set<string>>();
  /** A call that has lost a host: while it is here nothing else is, as it may have been the reason. */
  #alone: ActiveCall | undefined;
  /** Called when no other call is here, or the host closes. */
  #onAlone: (() => void) | undefined;
  #drained = false;
  #gathering: Promise<void> | undefined;
  #closing = false;

  constructor(settings: ServeSettings, keys: Keys, redis: Redis, refusals: Refusals, actions: RunnerActions) {
    this.#settings = settings;
    this.#keys = keys;
    this.#redis = redis;
    this.#refusals = refusals;
    this.#actions = actions;
    this.#prefetch = new Prefetch(settings.workers);
  }

  /** How many calls the host has. */
  get size(): number {
    return this.#active.size;
  }

  /**
   * Runs the call of a job.
   *
   * @param job The job. Anybody may have written it, so nothing in it is trusted.
   * @param token BullMQ's proof that this host has the job.
   * @returns The reply.
   * @throws {WaitingError} (rejects) when the job was handed back, or Redis has lost it: BullMQ leaves it alone then.
   * @throws {DelayedError} (rejects) when it was handed on to other hosts, as this one cannot run it.
   */
  async process(job: Job, token: string): Promise<Reply> {
    const id = job.id!;
    if (job.timestamp === LOST) return await dropJob(id, this.#redis, this.#keys, this.#settings.notices);
    const data = readJob(job.data);
    if (!data) {
      return this.#failure(new TypeError(`Job ${id} is no call of an executor: use another queue for it`), "host");
    }
    const call = new ActiveCall(data);
    this.#active.set(id, call);
    this.#drained = false;
    this.#allow(this.#prefetch.taken(this.#active.size));
    let reply: Reply | PassedOn | typeof BACK = BACK;
    try {
      if (!this.#closing && !this.#alone) reply = await Promise.race([this.#start(job, call), call.handedBack]);
      if (reply !== BACK && !("delay" in reply)) return await this.#store(id, reply);
    } finally {
      this.#active.delete(id);
      if (this.#alone === call) this.#alone = undefined;
      if (this.#active.size === 1) this.#onAlone?.();
      this.#rest();
    }
    try {
      if (reply === BACK) await job.moveToWait(token);
      else await job.moveToDelayed(Date.now() + reply.delay, token);
    } catch {
      // Another host gets the job when its lock runs out.
    }
    throw reply === BACK ? new WaitingError() : new DelayedError();
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
    const call = this.#active.get(id);
    if (call && !call.future?.cancel()) call.controller?.abort(new CancelledError());
  }

  /** Stops the jobs whose executors have died, and forgets old stops. */
  async stopOrphans(): Promise<void> {
    const before = performance.now() - STOP_MEMORY;
    for (const [id, since] of this.#stopped) if (since < before) this.#stopped.delete(id);
    for (const owner of new Set([...this.#active.values()].map(({ data }) => data.owner))) {
      if (owner === undefined || await this.#redis.exists(this.#keys.owner(owner)) > 0) continue;
      for (const [id, { data }] of this.#active) if (data.owner === owner) this.stop(id);
    }
  }

  /** Hands back the prefetched calls that have waited too long behind others, the newest first. */
  handBackLate(): void {
    let most = this.#active.size - this.#settings.workers;
    const before = performance.now() - PATIENCE;
    for (const call of [...this.#active.values()].reverse()) {
      if (most <= 0) return;
      if (call.since > before || !call.future?.cancel()) continue;
      this.#allow(this.#prefetch.waited(PATIENCE));
      call.handBack();
      most--;
    }
  }

  /** Begins no more calls, and hands back those that have not begun. */
  close(): void {
    this.#closing = true;
    this.#handBackUnbegun();
    this.#onAlone?.();
  }

  /** Ends every call together with its worker, and hands it back. */
  giveUp(): void {
    for (const call of this.#active.values()) {
      call.handBack();
      if (call.future) endCall(call.future, new CancelledError("The host was closed"));
    }
  }

  #handBackUnbegun(): void {
    for (const call of this.#active.values()) if (call.future?.cancel()) call.handBack();
  }

  /** Sets how many calls the host may have. */
  #allow(most: number): void {
    this.#actions.setConcurrency(this.#alone ? 1 : most);
  }

  /** Runs a call; one that has lost a host as soon as no other is here, so that it takes none with it if it does so again. */
  async #start(job: Job, call: ActiveCall): Promise<Reply | PassedOn | typeof BACK> {
    if (job.stalledCounter > 0) {
      this.#alone = call;
      this.#allow(1);
      this.#handBackUnbegun();
      if (this.#active.size > 1) await new Promise<void>((resolve) => this.#onAlone = resolve);
      this.#onAlone = undefined;
    }
    return await this.#run(job, call);
  }

  async #run(job: Job, call: ActiveCall): Promise<Reply | PassedOn | typeof BACK> {
    const { data, controller } = call, id = job.id!;
    const { maxPayload } = this.#settings;
    if (job.stalledCounter > Math.min(data.redeliveries, MOST_LOSSES)) {
      return this.#failure(hostsLost(job.stalledCounter), "host");
    }
    if (data.owner !== undefined && await this.#redis.exists(this.#keys.owner(data.owner)) === 0) this.stop(id);
    const task = this.#find(data);
    if (!task) return await this.#passOn(id, data, () => this.#notFound(data));
    let args: readonly unknown[];
    try {
      args = decodeArguments(data.args, maxPayload);
    } catch (cause) {
      return this.#failure(new TypeError(`Job ${id} has malformed arguments`, { cause }), "host");
    }
    // In a burst there is no hurry: short calls that come at about the same time go to the workers together.
    if (this.#prefetch.dense) await this.#gather();
    if (this.#stopped.has(id)) return { cancelled: true };
    if (this.#closing) return BACK;
    try {
      call.since = performance.now();
      const value = await (call.future = this.#executorFor(call).submit(task, ...args));
      this.completed++;
      this.#refusals.loaded(data.module);
      const took = performance.now() - call.since;
      this.durations.add(took);
      this.#allow(this.#prefetch.done(took));
      return { ok: encode(value, maxPayload) };
    } catch (error) {
      if (error instanceof CancelledError && (controller?.signal.aborted || this.#stopped.has(id))) {
        return { cancelled: true };
      }
      if (isExecutorEnd(error)) {
        this.#actions.onUnfit(error);
        return BACK;
      }
      if (isTaskNotFound(error)) return await this.#passOn(id, data, () => this.#notFound(data, error.message));
      if (isModuleNotLoaded(error)) {
        if (this.#refusals.failed(data.module)) {
          this.#actions.onUnfit(hostUnfit(this.#settings.name, data.module, error));
        }
        return await this.#passOn(id, data, () => error);
      }
      this.durations.add(performance.now() - call.since);
      return this.#failure(error, isOfExecutor(error) ? "host" : "task");
    }
  }

  /** The task that a job names, if the module is there. The local executor finds out whether the module exports it. */
  #find({ module, name }: JobData): Task<unknown[], unknown> | undefined {
    const tasks = this.#settings.modules.get(module);
    if (!tasks) return undefined;
    let names = this.#names.get(module);
    if (!names) this.#names.set(module, names = new Set());
    if (!names.has(name) && names.size === MOST_NAMES) return undefined;
    names.add(name);
    return tasks[name];
  }

  /** Hands a call on that this host cannot run; fails it if no other host may be able to. */
  async #passOn(id: string, data: JobData, error: () => Error | Promise<Error>): Promise<Reply | PassedOn> {
    let delay: number | undefined;
    try {
      delay = await this.#refusals.refuse(id, data);
    } catch (error) {
      if (isConnectionError(error)) return { delay: AGAIN }; // and otherwise, the keys hold anything
    }
    return delay === undefined ? this.#failure(await error(), "host") : { delay };
  }

  #notFound(data: JobData, why?: string): Promise<TypeError> {
    return taskNotFound(data, this.#settings, this.#redis, this.#keys, why);
  }

  /**
   * With nothing to do, the host asks for one job: BullMQ (6.7) begins none before it has asked for as many as it may have, and
   * that would take the first a round trip longer.
   */
  #rest(): void {
    if (this.#drained && this.#active.size === 0) this.#allow(1);
  }

  /** Resolves when other calls have had time to come. */
  #gather(): Promise<void> {
    return this.#gathering ??= new Promise((resolve) =>
      setTimeout(() => {
        this.#gathering = undefined;
        resolve();
      }, GATHERING)
    );
  }

  #executorFor({ data: { timeout, grace, retries }, controller }: ActiveCall): ExecutorView {
    const { executor } = this.#settings;
    if (timeout === undefined && retries === undefined && !controller) return executor;
    return executor.with({ timeout, grace, retries, signal: controller?.signal });
  }

  #failure(error: unknown, by: "task" | "host"): Reply {
    this.failed++;
    if (by === "host") this.failedByHost++;
    return { failure: encodeFailure(error, this.#settings.maxPayload), by };
  }

  /** Puts a long reply under a key of its own, so that only its executor downloads it. */
  async #store(id: string, reply: Reply): Promise<Reply> {
    const text = "ok" in reply ? reply.ok : "failure" in reply ? reply.failure : "";
    if (text.length < LONG_REPLY) return reply;
    await this.#redis.set(this.#keys.reply(id), JSON.stringify(reply), "PX", this.#settings.keepJobs);
    return { stored: true };
  }
}
