// Which call goes to which worker, and when: the only place with that decision, for threads and processes alike.
//
// An idle worker gets the next call at once. Beyond that, calls are handed ahead to busy workers, in one message for all
// that were submitted in a tick, as many as they are expected to run within BUDGET, judged by how long that very task has
// been taking: a worker never waits for its next short call, and no call waits behind a long or unknown one. What was
// handed ahead nevertheless goes elsewhere as soon as a worker is idle.

import { type ErrorConstructorLike, type Failure, fromFailure } from "../wire/failure.ts";
import type { FromWorker } from "../wire/messages.ts";
import type { Exit } from "../wire/channel.ts";
import type { Backend } from "./backend.ts";
import type { Call } from "./call.ts";
import { CallQueue } from "./call_queue.ts";
import { BrokenExecutor, CancelledError, describeExit, ShutdownError, WorkerLostError } from "./errors.ts";
import { isExiting } from "../runtime.ts";
import { report } from "./report.ts";
import { TaskTable } from "./task_table.ts";
import type { Settings } from "./options.ts";
import { startTimer, type Timer } from "./timer.ts";
import { Unobserved } from "./unobserved.ts";
import { WorkerHandle } from "./worker_handle.ts";

/** How much work a worker may be handed ahead, in milliseconds. More: fewer, larger messages. Less: exacter cancelling. */
const BUDGET = 2;

/** Calls of one message at most. */
const LARGEST_BATCH = 1024;

/** From this cost on, in milliseconds, a call is sent by itself and a process says that it begins it. */
const LONG = 4;

/** Workers that may fail to start, in a row, before the executor is broken. */
const START_ATTEMPTS = 3;

/** What an executor is doing: all counts. */
export interface ExecutorStats {
  /** Workers that are starting or up. */
  readonly workers: number;
  /** Workers that wait for a call. */
  readonly idle: number;
  /** Workers that have one. */
  readonly busy: number;
  /** Calls that no worker has begun. */
  readonly queued: number;
  /** Calls that a worker has begun. */
  readonly running: number;
  /** Calls whose task has returned. */
  readonly completed: number;
  /** Calls whose task has thrown, or that could not be run. */
  readonly failed: number;
  /** Calls that were cancelled. */
  readonly cancelled: number;
  /** Workers that ended without being asked to. */
  readonly lost: number;
  /** Workers that could not be stopped and were left to themselves. */
  readonly abandoned: number;
}

/** Runs calls on workers. */
export class Scheduler {
  readonly tasks = new TaskTable();
  readonly unobserved = new Unobserved();
  readonly #backend: Backend;
  readonly #settings: Settings;
  readonly #errorTypes: ReadonlyMap<string, ErrorConstructorLike>;
  readonly #queue = new CallQueue<Call>();
  /** Starting and ready; those that leave are in `#leaving`. */
  readonly #workers = new Set<WorkerHandle>();
  readonly #leaving = new Set<WorkerHandle>();
  /** Ready and without a call; the last to fall idle is used first. */
  #idle: WorkerHandle[] = [];
  #starting = 0;
  #started = 0;
  #failedStarts = 0;
  #dispatchQueued = false;
  #idleTimer: Timer | undefined;
  #broken: { readonly message: string; readonly cause: unknown } | undefined;
  #closing = false;
  #closed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #completed = 0;
  #failed = 0;
  #lost = 0;

  constructor(backend: Backend, settings: Settings) {
    this.#backend = backend;
    this.#settings = settings;
    this.#errorTypes = settings.errorTypes;
  }

  /**
   * Throws unless calls are accepted.
   *
   * @throws {BrokenExecutor} when the executor is broken, even after shutdown (X2).
   * @throws {ShutdownError} when it has been shut down, or the program is exiting.
   */
  admit(): void {
    if (this.#broken) throw this.#brokenError();
    if (this.#closing) throw new ShutdownError();
    if (isExiting()) throw new ShutdownError("cannot schedule new futures after program shutdown");
  }

  /** Takes a call that was admitted. */
  submit(call: Call): void {
    this.#queue.push(call);
    if (this.#idle.length > 0) return this.#fill(this.#takeIdle(), 1);
    this.#startWorkers();
    if (!this.#dispatchQueued) {
      this.#dispatchQueued = true;
      queueMicrotask(() => {
        this.#dispatchQueued = false;
        this.#dispatch();
      });
    }
  }

  /** Takes no more calls; see Executor.shutdown(). */
  shutdown(cancelFutures: boolean): Promise<void> {
    this.#closing = true;
    if (cancelFutures) this.#cancelQueued();
    this.#closed ??= closure();
    this.#wind();
    return this.#closed.promise;
  }

  /** Ends every worker now; see Executor.terminateWorkers() and killWorkers(). */
  end(how: "terminate" | "kill"): void {
    void this.shutdown(true);
    for (const worker of this.#workers) {
      // What it has not begun is cancelled rather than lost.
      for (const call of worker.takeBack(Infinity)) {
        this.tasks.cancelled++;
        call.cancel(new CancelledError());
      }
      this.#leave(worker);
    }
    for (const worker of this.#leaving) worker.channel[how]();
  }

  stats(): ExecutorStats {
    let busy = 0, held = 0, running = 0;
    for (const worker of this.#workers) {
      if (worker.held === 0) continue;
      busy++;
      held += worker.held;
      running += worker.countBegun();
    }
    return {
      workers: this.#workers.size,
      idle: this.#idle.length,
      busy,
      queued: this.#queue.size + held - running,
      running,
      completed: this.#completed,
      failed: this.#failed,
      cancelled: this.tasks.cancelled,
      lost: this.#lost,
      abandoned: 0,
    };
  }

  /** Hands calls to the workers that have room, the idle ones first, and starts more workers when that is not enough. */
  #dispatch(): void {
    while (this.#queue.size > 0 && this.#idle.length > 0) this.#fill(this.#takeIdle(), this.#share());
    this.#startWorkers();
    // A call that waits for a starting worker gets that worker for itself: it is not put behind another.
    if (this.#queue.size > this.#starting) {
      for (const worker of this.#workers) {
        if (worker.state === "ready" && worker.held > 0 && worker.ahead < BUDGET / 2) this.#fill(worker, this.#share());
      }
    }
    if (this.#idle.length > 0) this.#rebalance();
    this.#wind();
  }

  /** An even part of the queue, so that the last calls of a burst end at the same time everywhere. */
  #share(): number {
    return Math.min(LARGEST_BATCH, Math.ceil((this.#queue.size - this.#starting) / (this.#workers.size - this.#starting)));
  }

  /** Hands up to `most` calls to a worker: one if it is idle, whatever that takes, and what fits into the budget. */
  #fill(worker: WorkerHandle, most: number): void {
    const fresh = worker.held === 0;
    let handed = 0;
    let last: Call | undefined;
    for (let call = this.#queue.head; call && worker.hasRoom; call = this.#queue.head) {
      const together = last?.chunk !== undefined && call.chunk === last.chunk;
      if (!together && handed > 0 && handed >= most) break;
      if (!together && worker.held > 0 && !(worker.ahead + call.task.cost <= BUDGET)) break;
      this.#queue.shift();
      worker.hand(call);
      last = call;
      handed++;
    }
    if (handed > 0) {
      worker.keepAlive(true);
      const exact = fresh && !(worker.ahead < LONG);
      for (const { call, reason } of worker.send(exact)) {
        this.#failed++;
        call.reject(reason);
      }
    }
    if (worker.held === 0 && worker.state === "ready") this.#fallIdle(worker);
  }

  #takeIdle(): WorkerHandle {
    const worker = this.#idle.pop()!;
    worker.idle = false;
    return worker;
  }

  #fallIdle(worker: WorkerHandle): void {
    if (worker.idle || worker.recalling) return;
    if (worker.remaining <= 0) return this.#dismiss(worker);
    worker.idle = true;
    this.#idle.push(worker);
    worker.keepAlive(false);
    worker.idleSince = performance.now();
    if (this.#settings.idleTimeout !== undefined) this.#idleTimer ??= this.#armIdleTimer(this.#settings.idleTimeout);
  }

  /** With nothing queued and workers idle, nothing may wait behind another call. */
  #rebalance(): void {
    if (this.#queue.size > 0) return;
    for (const worker of this.#workers) {
      if (worker.held < 2 || this.#idle.length === 0) continue;
      const taken = worker.takeBack(Math.ceil((worker.held - 1) / 2));
      if (taken.length > 0) {
        for (const call of taken) this.#queue.unshift(call);
        while (this.#queue.size > 0 && this.#idle.length > 0) this.#fill(this.#takeIdle(), this.#share());
      } else if (!worker.channel.claims && !worker.recalling) {
        worker.recalling = true;
        worker.channel.send({ kind: "recall" }, []);
      }
    }
  }

  #startWorkers(): void {
    if (this.#broken) return;
    while (this.#queue.size > this.#starting && this.#workers.size < this.#settings.maxWorkers) this.#startWorker();
  }

  #startWorker(): void {
    const { name, maxTasksPerWorker, initializer } = this.#settings;
    const workerName = `${name}_${this.#started++}`;
    // The backend may tell of a failure before it returns, so a worker is told apart by this and not by its handle.
    const channel = this.#backend.start(workerName, {
      onMessage: (message) => this.#onMessage(worker, message),
      onClose: (exit) => queueMicrotask(() => this.#onClose(worker, exit)),
    });
    const worker = new WorkerHandle(workerName, channel, maxTasksPerWorker ?? Infinity);
    this.#workers.add(worker);
    this.#starting++;
    try {
      channel.send({ kind: "init", name: workerName, claims: channel.claims, initializer }, []);
    } catch (cause) {
      this.#break(`The arguments of the initializer cannot be sent to a worker`, cause);
    }
  }

  #onMessage(worker: WorkerHandle, message: FromWorker): void {
    if (!this.#workers.has(worker) && !this.#leaving.has(worker)) return;
    switch (message?.kind) {
      case "done":
        if (Array.isArray(message.results) && worker.owns(message.first, message.results.length)) {
          this.#settle(worker, message);
        } else {
          this.#distrust(worker);
        }
        break;
      case "ready":
        return this.#onReady(worker);
      case "unready":
        return this.#break(
          "A worker's initializer failed, the executor is not usable anymore",
          fromFailure(message.failure, this.#errorTypes),
        );
      case "begun":
        worker.announced = message.call;
        break;
      case "recalled":
        worker.recalling = false;
        for (const call of worker.recalled(message.first)) this.#queue.unshift(call);
        if (worker.held === 0 && worker.state === "ready") this.#fallIdle(worker);
        this.#dispatch();
        break;
      default:
        this.#distrust(worker);
    }
  }

  #onReady(worker: WorkerHandle): void {
    if (worker.state !== "starting") return;
    this.#starting--;
    this.#failedStarts = 0;
    worker.state = "ready";
    this.#fallIdle(worker);
    this.#dispatch();
  }

  /** Gives the answers to those who wait for them. */
  #settle(worker: WorkerHandle, { first, results, failures, spent }: Extract<FromWorker, { kind: "done" }>): void {
    let answered = 0, nextFailure = 0, mixed = false;
    let task: Call["task"] | undefined;
    for (let i = 0; i < results.length; i++) {
      const call = worker.answered(first + i);
      if (!call) {
        if (failures?.[nextFailure] === i) nextFailure += 2;
        continue;
      }
      answered++;
      if (task === undefined) task = call.task;
      else if (task !== call.task) mixed = true;
      call.args = [];
      if (failures?.[nextFailure] === i) {
        this.#failed++;
        call.reject(fromFailure(failures[nextFailure + 1] as Failure, this.#errorTypes));
        nextFailure += 2;
      } else {
        this.#completed++;
        call.fulfil(results[i]);
      }
    }
    worker.advance(first + results.length, answered);
    // Calls of several tasks are in one answer only when all are short: they share its time.
    if (task) {
      const cost = spent / answered;
      task.cost = mixed || task.cost === Infinity ? Math.min(task.cost, cost) : (task.cost + cost) / 2;
    }
    if (worker.held === 0 && worker.state === "ready") this.#fallIdle(worker);
    this.#dispatch();
  }

  /** A worker that speaks nonsense cannot be relied on for anything. */
  #distrust(worker: WorkerHandle): void {
    report("Ending a worker that sent a malformed message", worker.name, "it is replaced");
    worker.channel.kill();
  }

  /** A worker is gone. */
  #onClose(worker: WorkerHandle, exit: Exit): void {
    if (this.#leaving.delete(worker)) {
      this.#lose(worker, exit);
    } else if (this.#workers.has(worker)) {
      const starting = worker.state === "starting";
      this.#leave(worker);
      this.#leaving.delete(worker);
      this.#lost++;
      this.#lose(worker, exit);
      if (starting && ++this.#failedStarts >= START_ATTEMPTS) {
        this.#break(`Workers could not be started: the last one ${describeExit(exit)}`, causeOf(worker, exit));
      }
    }
    this.#dispatch();
  }

  /** What a lost worker had begun fails; the rest runs elsewhere. */
  #lose(worker: WorkerHandle, exit: Exit): void {
    const calls = worker.abandon();
    const shared = worker.channel.claims !== undefined;
    for (let i = calls.length - 1; i >= 0; i--) {
      const call = calls[i]!;
      const begun = shared ? call.worker!.begun(call) : call.number <= worker.announced ? true : "unknown";
      call.worker = undefined;
      if (begun === false && !this.#broken) {
        this.#queue.unshift(call);
      } else {
        this.#failed++;
        call.reject(new WorkerLostError({ workerName: worker.name, started: begun, ...exit }));
      }
    }
  }

  /** Nothing can run any more: every call that waits fails, with an error of its own. */
  #break(message: string, cause: unknown): void {
    this.#broken ??= { message, cause };
    for (let call = this.#queue.shift(); call; call = this.#queue.shift()) {
      this.#failed++;
      call.reject(this.#brokenError());
    }
    for (const worker of this.#workers) {
      if (worker.held > 0) continue;
      this.#leave(worker);
      worker.channel.kill();
    }
  }

  #brokenError(): BrokenExecutor {
    return new this.#backend.Broken(this.#broken!.message, { cause: this.#broken!.cause });
  }

  #cancelQueued(): void {
    for (let call = this.#queue.shift(); call; call = this.#queue.shift()) {
      this.tasks.cancelled++;
      call.cancel(new CancelledError());
    }
  }

  /** Shut down and nothing left to do: the workers go, and when they are gone it is over. */
  #wind(): void {
    if (!this.#closing && !this.#broken) return;
    if (this.#queue.size === 0) {
      for (const worker of [...this.#idle]) this.#dismiss(worker);
      this.#idleTimer?.clear();
    }
    if (this.#closing && this.#workers.size === 0 && this.#leaving.size === 0) {
      this.unobserved.report(this.#settings.name);
      this.#closed?.resolve();
    }
  }

  /** Ends an idle worker in order. */
  #dismiss(worker: WorkerHandle): void {
    this.#leave(worker);
    worker.channel.stop();
  }

  #leave(worker: WorkerHandle): void {
    this.#workers.delete(worker);
    if (worker.idle) this.#idle = this.#idle.filter((idle) => idle !== worker);
    if (worker.state === "starting") this.#starting--;
    worker.idle = false;
    worker.state = "leaving";
    this.#leaving.add(worker);
    worker.keepAlive(true);
  }

  #armIdleTimer(timeout: number): Timer {
    const oldest = this.#idle[0]?.idleSince ?? performance.now();
    return startTimer(oldest + timeout - performance.now(), () => {
      this.#idleTimer = undefined;
      const now = performance.now();
      for (const worker of [...this.#idle]) {
        if (now - worker.idleSince >= timeout) this.#dismiss(worker);
      }
      if (this.#idle.length > 0) this.#idleTimer = this.#armIdleTimer(timeout);
    }, false);
  }
}

function causeOf(worker: WorkerHandle, exit: Exit): unknown {
  return exit.error ?? new Error(`Worker ${worker.name} ${describeExit(exit)} before it was ready`);
}

function closure(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  return { promise: new Promise<void>((done) => resolve = done), resolve };
}
