// Runs the calls of jobs in the host's local executor: from a job to its reply, or back into the queue.

import type { Job } from "bullmq";
import type { Redis } from "ioredis";
import type { ExecutorView } from "../../executor/executor.ts";
import { CancelledError } from "../../future/errors.ts";
import { isConnectionError } from "../connection.ts";
import { type JobData, type Keys, readJob, type Reply } from "../protocol.ts";
import { ActiveCall, BACK } from "./active_call.ts";
import { decodeArguments, decodeChunk } from "./call_arguments.ts";
import { ChunkRun } from "./chunk_run.ts";
import { handBack } from "./hand_back.ts";
import {
  hostsLost,
  hostUnfit,
  isExecutorEnd,
  isModuleNotLoaded,
  isOfExecutor,
  isOfHost,
  isTaskNotFound,
  taskNotFound,
} from "./host_errors.ts";
import { type KeptJob, LOST } from "./job_worker.ts";
import { dropJob } from "./lost_jobs.ts";
import { Prefetch } from "./prefetch.ts";
import type { Refusals } from "./refusals.ts";
import { Replies } from "./replies.ts";
import type { ServeSettings } from "./serve_options.ts";
import { ServedTasks } from "./served_tasks.ts";
import { StoppedJobs } from "./stopped_jobs.ts";

/** How long a call may wait behind a long one before the host hands it back, in milliseconds: another host may be idle. */
export const PATIENCE = 200;

/** How long short calls wait for others to come, in milliseconds. */
const GATHERING = 1;

/** How many hosts a call may cost, whatever its job says. */
const MOST_LOSSES = 100;

/** The pause of a call that cannot be handed on as the connection was lost, in milliseconds. */
const AGAIN = 1000;

/** What a runner asks of its host. */
interface RunnerActions {
  /** Sets how many jobs the host takes at the same time. */
  setConcurrency(most: number): void;
  /** Whether the queue was empty when Redis was asked last. */
  isDrained(): boolean;
  /** This host cannot run calls any more: its executor has ended, or a module keeps failing to load. */
  onUnfit(error: unknown): void;
}

/** The job is for another host, after a pause in milliseconds: there is no reply. */
interface PassedOn {
  readonly delay: number;
}

/** Runs the calls of one host. */
export class JobRunner {
  /** What was answered. */
  readonly replies: Replies;
  readonly #settings: ServeSettings;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #actions: RunnerActions;
  readonly #refusals: Refusals;
  readonly #prefetch: Prefetch;
  /** By the ids of their jobs. */
  readonly #active = new Map<string, ActiveCall>();
  readonly #stopped = new StoppedJobs();
  readonly #tasks: ServedTasks;
  /** A call that has lost a host: while it is here nothing else is, as it may have been the reason. */
  #alone: ActiveCall | undefined;
  /** Called when no other call is here, or the host closes. */
  #onAlone: (() => void) | undefined;
  #gathering: Promise<void> | undefined;
  #closing = false;

  constructor(settings: ServeSettings, keys: Keys, redis: Redis, refusals: Refusals, actions: RunnerActions) {
    this.replies = new Replies(settings, keys, redis);
    this.#settings = settings;
    this.#keys = keys;
    this.#redis = redis;
    this.#tasks = new ServedTasks(settings.modules);
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
  async process(job: KeptJob, token: string): Promise<Reply> {
    const id = job.id!;
    if (job.timestamp === LOST) return await dropJob(id, this.#redis, this.#keys, this.#settings.notices);
    const data = readJob(job.data);
    if (!data) {
      return this.replies.failure(
        new TypeError(`Job ${id} is no call of an executor: use another queue for it`),
        "host",
      );
    }
    const call = new ActiveCall(data);
    this.#active.set(id, call);
    this.#allow(this.#prefetch.taken(this.#active.size));
    let reply: Reply | PassedOn | typeof BACK = BACK;
    try {
      if (!this.#closing && !this.#alone) reply = await Promise.race([this.#start(job, call), call.handedBack]);
      if (reply !== BACK && !("delay" in reply)) {
        const stored = await this.replies.store(job, reply);
        if (stored) return stored;
        reply = BACK;
      }
    } finally {
      this.#active.delete(id);
      if (this.#alone === call) this.#alone = undefined;
      if (this.#active.size === 1) this.#onAlone?.();
      if (this.#actions.isDrained()) this.drained();
    }
    return await handBack(job, token, reply === BACK ? undefined : reply.delay, this.#redis, this.#keys);
  }

  /**
   * The queue is empty. With nothing to do, the host asks for one job: BullMQ (6.7) begins none before it has asked for as many
   * as it may have, and that would take the first a round trip longer.
   */
  drained(): void {
    if (this.#active.size === 0) this.#allow(1);
  }

  /** Stops a job, now or when it comes: as an executor asks, or as its `owner` has died. */
  stop(id: string, owner?: string): void {
    this.#stopped.add(id, owner);
    this.#active.get(id)?.stop();
  }

  /** Stops the jobs whose executors have died, and forgets old stops. */
  async stopOrphans(): Promise<void> {
    this.#stopped.forget();
    for (const owner of new Set([...this.#active.values()].map(({ data }) => data.owner))) {
      const asked = performance.now();
      if (owner === undefined || await this.#redis.exists(this.#keys.owner(owner)) > 0) continue;
      // What came meanwhile may come from an executor that is back.
      for (const [id, { data, since }] of this.#active) if (data.owner === owner && since < asked) this.stop(id, owner);
    }
  }

  /** Hands back the prefetched calls that have waited too long behind others, the newest first. */
  handBackLate(): void {
    let most = this.#active.size - this.#settings.workers;
    const before = performance.now() - PATIENCE;
    for (const call of [...this.#active.values()].reverse()) {
      if (most <= 0) return;
      if (call.since > before || !call.cancel()) continue;
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
    this.replies.end();
    for (const call of this.#active.values()) {
      call.handBack();
      call.end(new CancelledError("The host was closed"));
    }
  }

  #handBackUnbegun(): void {
    for (const call of this.#active.values()) if (call.cancel()) call.handBack();
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
    const { data } = call, id = job.id!;
    const { maxPayload } = this.#settings;
    if (job.stalledCounter > Math.min(data.redeliveries, MOST_LOSSES)) {
      return this.replies.failure(hostsLost(job.stalledCounter), "host", call.count);
    }
    if (data.owner !== undefined) {
      if (await this.#redis.exists(this.#keys.owner(data.owner)) === 0) this.stop(id, data.owner);
      else this.#stopped.revive(id, data.owner);
    }
    const task = this.#tasks.find(data);
    if (!task) return await this.#passOn(id, call, () => this.#notFound(data));
    let args: readonly unknown[] = [], items: readonly (readonly unknown[])[] | undefined;
    try {
      if (typeof data.args === "string") args = decodeArguments(data.args, maxPayload);
      else items = decodeChunk(data.args, maxPayload);
    } catch (cause) {
      return this.replies.failure(new TypeError(`Job ${id} has malformed arguments`, { cause }), "host", call.count);
    }
    // In a burst there is no hurry: short calls that come at about the same time go to the workers together.
    if (this.#prefetch.dense && !items) await this.#gather();
    if (this.#stopped.has(id)) return this.#stopped.reply(id);
    if (this.#closing) return BACK;
    try {
      call.since = performance.now();
      const executor = this.#executorFor(call);
      if (items) {
        const outcomes = await (call.chunk = new ChunkRun(executor, task, items)).outcomes();
        if (outcomes.length < items.length) return this.#stopped.has(id) ? this.#stopped.reply(id) : BACK;
        const errors = outcomes.flatMap((outcome) => outcome.status === "rejected" ? [outcome.reason] : []);
        const ofAll = errors.find((error) => isOfHost(error) || this.#isStopped(id, call, error));
        if (ofAll) throw ofAll; // it concerns one item as much as the other
        this.#ran(call);
        return this.replies.each(outcomes);
      }
      const value = await (call.future = executor.submit(task, ...args));
      this.#ran(call);
      return this.replies.success(value);
    } catch (error) {
      if (this.#isStopped(id, call, error)) return this.#stopped.reply(id);
      if (call.isBack) return BACK;
      if (isExecutorEnd(error)) {
        this.#actions.onUnfit(error);
        return BACK;
      }
      if (isTaskNotFound(error)) return await this.#passOn(id, call, () => this.#notFound(data, error.message));
      if (isModuleNotLoaded(error)) {
        if (this.#refusals.failed(data.module)) {
          this.#actions.onUnfit(hostUnfit(this.#settings.name, data.module, error));
        }
        return await this.#passOn(id, call, () => error, true);
      }
      this.replies.durations.add(performance.now() - call.since);
      return this.replies.failure(error, isOfExecutor(error) ? "host" : "task", call.count);
    }
  }

  /** The task of a call has returned. */
  #ran({ data, since }: ActiveCall): void {
    this.#refusals.loaded(data.module);
    const took = performance.now() - since;
    this.replies.durations.add(took);
    this.#allow(this.#prefetch.done(took));
  }

  /** Whether a call has failed because it was stopped. */
  #isStopped(id: string, { controller }: ActiveCall, error: unknown): boolean {
    return error instanceof CancelledError && (controller?.signal.aborted || this.#stopped.has(id));
  }

  /** Hands a call on that this host cannot run; fails it if no other host may be able to. */
  async #passOn(
    id: string,
    call: ActiveCall,
    error: () => Error | Promise<Error>,
    isBroken = false,
  ): Promise<Reply | PassedOn> {
    let delay: number | undefined;
    try {
      delay = await this.#refusals.refuse(id, call.data, isBroken);
    } catch (error) {
      if (isConnectionError(error)) return { delay: AGAIN }; // and otherwise, the keys hold anything
    }
    return delay === undefined ? this.replies.failure(await error(), "host", call.count) : { delay };
  }

  #notFound(data: JobData, why?: string): Promise<TypeError> {
    return taskNotFound(data, this.#settings, this.#redis, this.#keys, why);
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
}
