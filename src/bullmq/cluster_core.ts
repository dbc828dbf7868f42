// What runs the calls of a BullMQExecutor: each is a job in Redis until a host has run it.
//
//   submit() -> #queue        until the end of the tick: cancel() is exact
//            -> #sent         a job in Redis; `taken` as soon as a host has said so
//            -> supervisor    fulfilled, failed, cancelled; or queued again, for `retryOn`

import { Call, type Waiting } from "../executor/call.ts";
import { CallQueue } from "../executor/call_queue.ts";
import { type Closure, closure } from "../executor/closure.ts";
import type { Core } from "../executor/core.ts";
import {
  BrokenExecutor,
  BrokenProcessPool,
  BrokenThreadPool,
  CancelledError,
  ShutdownError,
  TimeoutError,
  WorkerLostError,
} from "../executor/errors.ts";
import { Room } from "../executor/room.ts";
import type { ExecutorStats } from "../executor/stats.ts";
import { Supervisor } from "../executor/supervisor.ts";
import { startTimer } from "../executor/timer.ts";
import { Unobserved } from "../executor/unobserved.ts";
import { isExiting } from "../runtime.ts";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { type Failure, fromFailure } from "../wire/failure.ts";
import { holding } from "./connection.ts";
import { jobOf, keyOf, type NewJob } from "./call_job.ts";
import { decode } from "./codec.ts";
import { type Link, openLink } from "./link.ts";
import { NamedTasks } from "./named_tasks.ts";
import type { ClusterSettings } from "./options.ts";
import type { Reply } from "./protocol.ts";
import { SentCall } from "./sent_call.ts";

/** Jobs that are added in one go: Redis answers nobody else meanwhile, and what is not sent yet can still be cancelled. */
const BULK = 500;

/** How often it is looked whether everything is as the events say, in milliseconds. */
const CHECK_INTERVAL = 2000;

/** Of the calls that are out for longest, so many are looked up each time. */
const CHECKED = 100;

/** How long a host has to answer, when a call has been told to stop and its `grace` is over, in milliseconds. */
const STOP_MARGIN = 2000;

/** The errors that hosts make themselves. */
const HOST_ERRORS: ReadonlyMap<string, ErrorConstructorLike> = new Map(
  [BrokenExecutor, BrokenProcessPool, BrokenThreadPool, TimeoutError, WorkerLostError]
    .map((type) => [type.name, type as ErrorConstructorLike]),
);

/** Runs calls on the hosts of a queue. */
export class ClusterCore implements Core {
  readonly tasks = new NamedTasks(this);
  readonly unobserved: Unobserved;
  readonly room: Room;
  /** Unlike that of any other executor. */
  readonly id: string = crypto.randomUUID();
  readonly #settings: ClusterSettings;
  readonly #queue = new CallQueue<Waiting>();
  readonly #sent = new Map<string, SentCall>();
  /** Calls that were cancelled when a host might have taken them: it is told again if it was another. */
  readonly #stopping = new Set<string>();
  readonly #supervisor: Supervisor;
  #link: Promise<Link> | undefined;
  #taken = 0;
  #lost = 0;
  #lastId = 0;
  #sending = false;
  #flushQueued = false;
  #watch: ReturnType<typeof setInterval> | undefined;
  #broken: { readonly message: string; readonly cause: unknown } | undefined;
  #closing = false;
  #closed: Closure | undefined;
  #ending = false;
  /** Stops that are on their way. */
  #stops = 0;

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    this.unobserved = new Unobserved(settings.name, settings.onUnobserved);
    this.room = new Room(settings.maxQueue, () => this.#closing || this.#broken ? 0 : this.#waiting);
    this.#supervisor = new Supervisor({
      canRun: () => !this.#broken,
      requeue: (call) => this.submit(call),
      stop: (call, settle) => this.#stop(call, settle),
    });
  }

  admit(): void {
    if (this.#broken) throw this.#brokenError();
    if (this.#closing) throw new ShutdownError();
    if (isExiting()) throw new ShutdownError("cannot schedule new futures after program shutdown");
  }

  submit(waiting: Call | Waiting): void {
    if (waiting instanceof Call && waiting.limits) {
      const { settings } = waiting.limits;
      if (settings.signal?.aborted) return this.#supervisor.cancel(waiting, settings.signal.reason);
      settings.watch(waiting);
    }
    this.#queue.push(waiting);
    this.#flushSoon();
  }

  withdraw(call: Call): boolean {
    if (call.queue) call.queue.remove(call);
    else if (!this.#supervisor.wake(call) && !call.worker?.withdraw(call)) return false;
    this.#supervisor.withdrawn(call);
    this.#settled();
    return true;
  }

  withdrawAll(supply: Waiting): void {
    this.#supervisor.cancelled += supply.waiting;
    this.#queue.remove(supply);
    this.#settled();
  }

  abort(call: Call, reason: unknown): void {
    if (this.withdraw(call)) call.cancel(reason);
    else this.#supervisor.abort(call, reason);
  }

  shutdown(cancelFutures: boolean): Promise<void> {
    this.#closing = true;
    if (cancelFutures) this.#cancelWaiting();
    this.#closed ??= closure();
    this.#settled();
    return this.#closed.promise;
  }

  /** The hosts are not this executor's: what they run of it is stopped, and they go on. */
  end(how: "terminate" | "kill"): void {
    void this.shutdown(true);
    for (const sent of [...this.#sent.values()]) {
      void this.#tellToStop(sent.id, sent.adding);
      this.#forget(sent);
      const exit = { signal: how === "kill" ? "SIGKILL" : "SIGTERM" };
      const error = new WorkerLostError({
        workerName: `of queue ${this.#settings.queue}`,
        ...exit,
        started: "unknown",
      });
      this.#supervisor.reject(sent.call, error, "final");
    }
    this.#settled();
  }

  stats(): ExecutorStats {
    const { completed, failed, cancelled } = this.#supervisor;
    return {
      workers: 0,
      idle: 0,
      busy: 0,
      queued: this.#waiting,
      running: this.#taken,
      completed,
      failed,
      cancelled,
      lost: this.#lost,
      abandoned: 0,
    };
  }

  /** The line to Redis, which is opened when it is first needed. */
  link(): Promise<Link> {
    if (this.#ending) return Promise.reject(new ShutdownError());
    return this.#link ??= openLink(this.#settings, this.id, {
      onTaken: (id) => this.#setTaken(id, true),
      onReturned: (id, lost) => this.#onReturned(id, lost),
      onReply: (id, reply) => this.#onReply(id, reply),
      onFailed: (id, reason) => this.#fail(id, new Error(`BullMQ has failed the job: ${reason}`)),
      onRemoved: (id) => this.#onRemoved(id),
      onUncertain: () => this.#lookUp([...this.#sent.values()]),
    });
  }

  /** Calls that no host has. */
  get #waiting(): number {
    return this.#queue.size + this.#supervisor.resting + this.#sent.size - this.#taken;
  }

  // --- out

  #flushSoon(): void {
    this.#stayAlive();
    if (this.#flushQueued || this.#sending) return;
    this.#flushQueued = true;
    queueMicrotask(() => {
      this.#flushQueued = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      const link = await this.link();
      while (this.#queue.size > 0 && !this.#broken) {
        const batch = this.#nextBatch();
        if (batch.length === 0) continue;
        const sent = batch.map(({ sent }) => sent);
        const added = link.add(batch.map(({ job }) => job)).then(
          () => this.#added(sent),
          (error) => this.#refused(sent, error),
        );
        for (const one of sent) one.adding = added;
        // A full one is waited for: the next would wait in Redis, and could not be taken back so easily.
        if (batch.length === BULK) await added;
      }
    } catch (cause) {
      this.#break("Redis cannot be reached", cause instanceof BrokenExecutor ? cause.cause : cause);
    } finally {
      this.#sending = false;
    }
  }

  #nextBatch(): { job: NewJob; sent: SentCall }[] {
    const batch: { job: NewJob; sent: SentCall }[] = [];
    while (batch.length < BULK) {
      const call = this.#queue.shift();
      if (!call) break;
      try {
        const job = jobOf(call, `${this.id}-${this.#lastId++}`, this.id, this.#settings);
        const sent = new SentCall(job.id, call, this.#actions);
        call.worker = sent;
        this.#sent.set(job.id, sent);
        batch.push({ job, sent });
      } catch (error) {
        this.#supervisor.reject(call, error, "final");
      }
    }
    this.room.wake();
    if (batch.length === 0) this.#settled();
    return batch;
  }

  #added(sent: readonly SentCall[]): void {
    for (const one of sent) one.added = true;
    // It may be there since long, and be done.
    this.#lookUp(sent.filter(({ call }) => keyOf(call) !== undefined));
  }

  #refused(sent: readonly SentCall[], reason: unknown): void {
    for (const one of sent) {
      if (this.#forget(one)) this.#supervisor.reject(one.call, reason, "final");
    }
    this.#settled();
  }

  // --- back

  #onReply(id: string, reply: Reply | undefined): void {
    this.#stopping.delete(id);
    const sent = this.#sent.get(id);
    if (!sent) return;
    const { call } = sent;
    this.#forget(sent);
    try {
      if (!reply || "stored" in reply) {
        this.#supervisor.reject(call, new Error("The job returned nothing that a host of ours would say"), "final");
      } else if ("ok" in reply) {
        this.#supervisor.fulfil(call, decode(reply.ok, this.#settings.errorTypes));
      } else if ("cancelled" in reply) {
        const { aborted } = call.limits ?? {};
        this.#supervisor.cancel(call, aborted ? aborted.reason : new CancelledError());
      } else {
        const ofHost = reply.by === "host";
        const failure = decode(reply.failure, this.#settings.errorTypes) as Failure;
        const error = fromFailure(failure, ofHost ? HOST_ERRORS : this.#settings.errorTypes);
        this.#supervisor.reject(call, error, ofHost ? "final" : "thrown");
      }
    } catch (error) {
      this.#supervisor.reject(call, new Error("A host sent a malformed reply", { cause: error }), "final");
    }
    this.#settled();
  }

  #fail(id: string, reason: Error): void {
    this.#stopping.delete(id);
    const sent = this.#sent.get(id);
    if (!sent) return;
    this.#forget(sent);
    this.#supervisor.reject(sent.call, reason, "final");
    this.#settled();
  }

  #onReturned(id: string, lost: boolean): void {
    if (lost && this.#sent.has(id)) this.#lost++;
    this.#setTaken(id, false);
    if (this.#stopping.has(id) || this.#sent.get(id)?.call.limits?.aborted) void this.#tellToStop(id);
  }

  /** Somebody has removed the job: another executor that shares its key, or a person. */
  #onRemoved(id: string): void {
    this.#stopping.delete(id);
    const sent = this.#sent.get(id);
    if (!sent?.added) return;
    this.#forget(sent);
    const { aborted } = sent.call.limits ?? {};
    this.#supervisor.cancel(
      sent.call,
      aborted ? aborted.reason : new CancelledError("The job was removed from its queue"),
    );
    this.#settled();
  }

  #setTaken(id: string, taken: boolean): void {
    const sent = this.#sent.get(id);
    if (!sent || sent.taken === taken) return;
    sent.taken = taken;
    this.#taken += taken ? 1 : -1;
    this.room.wake();
  }

  #lookUp(sent: readonly SentCall[]): void {
    const ids = sent.filter(({ added }) => added).map(({ id }) => id);
    if (ids.length > 0) void this.#link?.then((link) => link.lookUp(ids)).catch(() => {}); // it is looked again soon
  }

  // --- stopping

  readonly #actions = {
    withdraw: (sent: SentCall): void => {
      void this.#tellToStop(sent.id, sent.adding);
      this.#forget(sent);
    },
    abort: (sent: SentCall): void => void this.#tellToStop(sent.id, sent.adding),
  };

  async #tellToStop(id: string, adding?: Promise<void>): Promise<void> {
    this.#stopping.add(id);
    this.#stops++;
    this.#stayAlive();
    try {
      await adding;
      await (await this.#link)?.stop(id);
    } catch {
      // Redis has refused the command: nobody can be told.
    }
    this.#stops--;
    this.#settled();
  }

  /** A call has not followed its signal: its host ends it, and says so; if not, it is given up. */
  #stop(call: Call, settle: () => void): void {
    call.limits!.timer = startTimer(STOP_MARGIN, () => {
      const sent = call.worker as SentCall | undefined;
      if (sent) this.#forget(sent);
      settle();
      this.#settled();
    });
  }

  #cancelWaiting(): void {
    for (let call = this.#queue.shift(); call; call = this.#queue.shift()) {
      this.#supervisor.cancel(call, new CancelledError());
    }
    for (const call of this.#supervisor.wakeAll()) this.#supervisor.cancel(call, new CancelledError());
    for (const { call } of [...this.#sent.values()]) {
      if (call.withdraw()) call.cancel(new CancelledError());
    }
  }

  // --- the end

  /** A call has no job any more. False when it had none. */
  #forget(sent: SentCall): boolean {
    if (!this.#sent.delete(sent.id)) return false;
    if (sent.taken) this.#taken--;
    sent.call.worker = undefined;
    return true;
  }

  #break(message: string, cause: unknown): void {
    this.#broken ??= { message, cause };
    for (let call = this.#queue.shift(); call; call = this.#queue.shift()) {
      this.#supervisor.reject(call, this.#brokenError(), "final");
    }
    this.#settled();
  }

  #brokenError(): BrokenExecutor {
    return new BrokenExecutor(this.#broken!.message, { cause: this.#broken!.cause });
  }

  /** While there is work, the program stays alive, and what the events may not tell is looked up now and then. */
  #stayAlive(): void {
    this.#watch ??= setInterval(() => {
      void this.#link?.then((link) => link.check()).catch(() => {});
      const oldest: SentCall[] = [];
      for (const sent of this.#sent.values()) if (oldest.push(sent) === CHECKED) break;
      this.#lookUp(oldest);
    }, CHECK_INTERVAL);
  }

  /** Something is done: perhaps everything. */
  #settled(): void {
    this.room.wake();
    if (this.#queue.size + this.#supervisor.resting + this.#sent.size + this.#stops > 0) return;
    if (this.#closing) return void holding(this.#close());
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  async #close(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const link = this.#link;
    this.#link = undefined;
    try {
      await (await link)?.close();
    } catch {
      // There never was a line.
    }
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.unobserved.report();
    this.#closed?.resolve();
  }
}
