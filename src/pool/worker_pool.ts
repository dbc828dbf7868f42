// The workers of one executor: started on demand, kept while idle, ended. What they do is the scheduler's business.

import type { WorkerExit } from "../wire/channel.ts";
import { offDone, onDone } from "../runtime.ts";
import { assertNotLocal } from "../wire/marks.ts";
import type { FromWorker } from "../wire/messages.ts";
import type { Backend } from "./backend.ts";
import type { Settings } from "./options.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { WorkerHandle, type WorkerState } from "./worker_handle.ts";

/** What the pool tells the scheduler. */
export interface PoolEvents {
  /** A message of a worker that has not been given up. */
  onMessage(worker: WorkerHandle, message: FromWorker): void;
  /** A worker has ended, asked to ("leaving") or not; it is not in the pool any more. */
  onGone(worker: WorkerHandle, exit: WorkerExit, was: WorkerState): void;
  /** A worker cannot even be told what to run first. */
  onUnsendable(reason: unknown): void;
}

/** The workers of one executor. */
export class WorkerPool {
  /** Starting and ready. */
  readonly workers = new Set<WorkerHandle>();
  /** Workers that ended without being asked to. */
  lost = 0;
  /** Workers that could not be stopped. */
  abandoned = 0;
  readonly #backend: Backend;
  readonly #settings: Settings;
  readonly #events: PoolEvents;
  readonly #leaving = new Set<WorkerHandle>();
  /** Ready and without a call; the last to fall idle is used first. */
  #idle: WorkerHandle[] = [];
  #starting = 0;
  #started = 0;
  #idleTimer: Timer | undefined;

  constructor(backend: Backend, settings: Settings, events: PoolEvents) {
    this.#backend = backend;
    this.#settings = settings;
    this.#events = events;
  }

  /** How many are starting. */
  get starting(): number {
    return this.#starting;
  }

  /** How many are ready, idle or not. */
  get ready(): number {
    return this.workers.size - this.#starting;
  }

  /** How many wait for a call. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Whether one more may be started. */
  get canStart(): boolean {
    return this.workers.size < this.#settings.maxWorkers;
  }

  /** Whether all are gone. */
  get empty(): boolean {
    return this.workers.size === 0 && this.#leaving.size === 0;
  }

  /** Starts a worker. */
  start(): void {
    // A program that ends without shutdown() ends its workers in order, too: what tasks have printed arrives.
    onDone(this.#onProgramDone);
    const { name, maxTasksPerWorker, initializer, workerOptions, inlineTasks } = this.#settings;
    const { memoryLimit } = workerOptions;
    const workerName = `${name}_${this.#started++}`;
    // Never before this function returns, whatever a backend does: the handle is made first.
    const channel = this.#backend.start(workerName, workerOptions, {
      onMessage: (message) => {
        if (this.workers.has(worker) || this.#leaving.has(worker)) this.#events.onMessage(worker, message);
      },
      onClose: (exit) => queueMicrotask(() => this.#onClose(worker, exit)),
    });
    const worker = new WorkerHandle(workerName, channel, maxTasksPerWorker ?? Infinity);
    this.workers.add(worker);
    this.#starting++;
    try {
      const { claims } = channel;
      initializer?.args.forEach(assertNotLocal);
      channel.send({ kind: "init", name: workerName, claims, memoryLimit, inlineTasks, initializer });
    } catch (reason) {
      // Without arguments, it is the line that fails: of this worker, which counts as one that starts until then.
      if (initializer) this.#events.onUnsendable(reason);
      else queueMicrotask(() => this.lose(worker, reason as Error));
    }
  }

  /** A starting worker is up. */
  welcome(worker: WorkerHandle): void {
    this.#starting--;
    worker.state = "ready";
    this.release(worker);
  }

  /** The idle worker that is taken next. */
  get next(): WorkerHandle | undefined {
    return this.#idle.at(-1);
  }

  /** Takes an idle worker, to give it a call. */
  take(): WorkerHandle | undefined {
    const worker = this.#idle.pop();
    if (worker) worker.idle = false;
    return worker;
  }

  /** Puts a worker that holds no call where the next call finds it; it may have run enough of them. */
  release(worker: WorkerHandle): void {
    if (worker.idle || worker.recalling || worker.state !== "ready" || worker.held > 0) return;
    if (worker.remaining <= 0) return this.dismiss(worker);
    worker.idle = true;
    worker.keepAlive(false);
    this.#idle.push(worker);
    const { idleTimeout } = this.#settings;
    if (idleTimeout === Infinity) return;
    worker.idleSince = performance.now();
    this.#idleTimer ??= this.#armIdleTimer(idleTimeout);
  }

  /** Ends an idle worker, in order. */
  dismiss(worker: WorkerHandle): void {
    this.#leave(worker);
    worker.channel.stop();
  }

  readonly #onProgramDone = (): void => this.dismissIdle();

  /** Ends all idle workers, in order. */
  dismissIdle(): void {
    for (const worker of [...this.#idle]) this.dismiss(worker);
  }

  /** Ends the workers that still start, however long that would take. */
  dismissStarting(): void {
    for (const worker of this.workers) if (worker.state === "starting") this.end(worker, "kill");
  }

  /** Lets the workers that still start keep the program alive, or not. */
  keepStarting(alive: boolean): void {
    for (const worker of this.workers) if (worker.state === "starting") worker.keepAlive(alive);
  }

  /** Ends a worker now. */
  end(worker: WorkerHandle, how: "terminate" | "kill"): void {
    this.#leave(worker);
    worker.channel[how]();
  }

  /** Ends a worker that nobody can rely on; it counts as one that was lost by itself. */
  lose(worker: WorkerHandle, error: Error): void {
    if (worker.state === "leaving") return;
    worker.distrusted = { was: worker.state, error };
    this.lost++;
    this.end(worker, "kill");
  }

  /** Ends every worker now, those that leave included. */
  endAll(how: "terminate" | "kill"): void {
    for (const worker of [...this.workers, ...this.#leaving]) this.end(worker, how);
  }

  #leave(worker: WorkerHandle): void {
    this.workers.delete(worker);
    if (worker.idle) this.#idle = this.#idle.filter((idle) => idle !== worker);
    if (this.#idle.length === 0) {
      this.#idleTimer?.clear();
      this.#idleTimer = undefined;
    }
    if (worker.state === "starting") this.#starting--;
    worker.idle = false;
    worker.state = "leaving";
    this.#leaving.add(worker);
    worker.keepAlive(true);
  }

  #onClose(worker: WorkerHandle, exit: WorkerExit): void {
    const { state, distrusted } = worker;
    if (state !== "leaving") {
      this.lost++;
      this.#leave(worker);
    }
    if (exit.abandoned) this.abandoned++;
    this.#leaving.delete(worker);
    if (this.empty) offDone(this.#onProgramDone);
    if (distrusted) this.#events.onGone(worker, { ...exit, error: distrusted.error }, distrusted.was);
    else this.#events.onGone(worker, exit, state);
  }

  #armIdleTimer(timeout: number): Timer {
    const oldest = this.#idle[0]?.idleSince ?? performance.now();
    return startTimer(oldest + timeout - performance.now(), () => {
      this.#idleTimer = undefined;
      const now = performance.now();
      for (const worker of [...this.#idle]) {
        if (now - worker.idleSince >= timeout) this.dismiss(worker);
      }
      if (this.#idle.length > 0) this.#idleTimer = this.#armIdleTimer(timeout);
    }, false);
  }
}
