// The workers of one executor: starts them on demand, keeps them while they are idle, ends them. What they run is up to the
// dispatcher, what they say to the scheduler.

import type { Call } from "../executor/call.ts";
import type { WorkerExit } from "../wire/channel.ts";
import { offDone, onDone } from "../runtime.ts";
import { atTickEnd } from "../wire/blocking.ts";
import { assertNotLocal } from "../wire/marks.ts";
import type { FromWorker } from "../wire/messages.ts";
import type { Backend } from "./backend.ts";
import type { PoolSettings } from "./options.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { WarmUp } from "./warm_up.ts";
import { Inbox } from "./inbox.ts";
import { WorkerHandle, type WorkerState } from "./worker_handle.ts";

/** What the pool tells the scheduler. */
export interface PoolEvents {
  /** A message came from a worker. */
  onMessage(worker: WorkerHandle, message: FromWorker): void;
  /** A worker has ended, and is not in the pool any more. It was asked to when it `was` "leaving". */
  onGone(worker: WorkerHandle, exit: WorkerExit, was: WorkerState): void;
  /** The arguments of the initializer cannot be sent. */
  onUnsendable(reason: unknown): void;
}

/** The workers that start, that are ready, and that leave. */
export class WorkerPool {
  /** Starting and ready. */
  readonly workers = new Set<WorkerHandle>();
  /** Maximum number of workers. */
  maxWorkers: number;
  readonly warmUp = new WarmUp(() => this.#countIdleTimeAnew());
  /** How many ended without being asked to. */
  lost = 0;
  /** How many could not be stopped. */
  abandoned = 0;
  readonly #backend: Backend;
  readonly #settings: PoolSettings;
  readonly #events: PoolEvents;
  readonly #starting = new Set<WorkerHandle>();
  readonly #leaving = new Set<WorkerHandle>();
  /** Ready and without a call; the last to fall idle is used first. */
  #idle: WorkerHandle[] = [];
  /** How many were ever started: the number in the next one's name. */
  #started = 0;
  #idleTimer: Timer | undefined;

  constructor(backend: Backend, settings: PoolSettings, events: PoolEvents) {
    this.maxWorkers = settings.maxWorkers;
    this.#backend = backend;
    this.#settings = settings;
    this.#events = events;
  }

  /** How many are starting. */
  get starting(): number {
    return this.#starting.size;
  }

  /** How many are ready, idle or not. */
  get ready(): number {
    return this.workers.size - this.#starting.size;
  }

  /** How many wait for a call. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Whether one more may be started. */
  get canStart(): boolean {
    return this.workers.size + this.#finalizing.length < this.maxWorkers;
  }

  /** Workers that leave and have a finalizer to run: until then, each keeps its place, and its index. */
  get #finalizing(): readonly WorkerHandle[] {
    return this.#settings.finalizer ? [...this.#leaving].filter((worker) => worker.finalizing) : [];
  }

  /** The lowest index that no worker has. Whoever takes the place of another worker gets that one's. */
  get #freeIndex(): number {
    const taken = new Set<number>();
    for (const { index } of [...this.workers, ...this.#finalizing]) taken.add(index);
    let index = 0;
    while (taken.has(index)) index++;
    return index;
  }

  /** How many workers there may be at most, whatever the program asks for. */
  get mostWorkers(): number {
    return this.#backend.mostWorkers ?? Infinity;
  }

  /** Why its workers cannot be waited for without the event loop; `undefined` if they can. */
  get refusesToBlock(): string | undefined {
    const { refusesToBlock } = this.#backend;
    if (refusesToBlock) return refusesToBlock;
    for (const { channel } of this.workers) if (channel.refusesToBlock) return channel.refusesToBlock;
    return undefined;
  }

  /** Whether all are gone. */
  get empty(): boolean {
    return this.workers.size === 0 && this.#leaving.size === 0;
  }

  /** How many workers have calls, and how many calls these have, begun or not. */
  countCalls(): { readonly busy: number; readonly held: number; readonly running: number } {
    let busy = 0, held = 0, running = 0;
    for (const { calls } of this.workers) {
      if (calls.size === 0) continue;
      busy++;
      held += calls.size;
      running += calls.countBegun();
    }
    return { busy, held, running };
  }

  /** Starts a worker. */
  start(): void {
    // A program that ends without shutdown() ends its workers in order, too: what tasks have printed arrives.
    onDone(this.#onProgramDone);
    const { name, maxTasksPerWorker, initializer, finalizer, workerOptions, inlineTasks } = this.#settings;
    const { memoryLimit } = workerOptions;
    const workerName = `${name}_${this.#started++}`, index = this.#freeIndex;
    // The events come after this function has returned, whatever a backend does: the handle is there by then.
    const inbox = new Inbox(
      {
        onMessage: (message) => this.#events.onMessage(worker, message),
        onClose: (exit) => atTickEnd(() => this.#onClose(worker, exit)),
      },
      (messages, waiting) => channel.heard?.(messages, waiting),
      () => worker.state === "leaving",
    );
    const channel = this.#backend.start(workerName, workerOptions, inbox);
    const worker = new WorkerHandle(workerName, index, channel, maxTasksPerWorker ?? Infinity);
    this.workers.add(worker);
    this.#starting.add(worker);
    try {
      const claims = channel.claims?.shared;
      initializer?.args.forEach(assertNotLocal);
      channel.send({
        kind: "init",
        name: workerName,
        index,
        claims,
        memoryLimit,
        inlineTasks,
        initializer,
        ...(finalizer && { finalizer }),
      });
    } catch (reason) {
      // Without arguments, the line has failed: that of this worker, which is lost, and counts as starting until then.
      if (initializer) this.#events.onUnsendable(reason);
      else atTickEnd(() => this.lose(worker, reason as Error));
    }
  }

  /** A worker that was starting is up. */
  welcome(worker: WorkerHandle): void {
    this.#starting.delete(worker);
    worker.state = "ready";
    this.release(worker);
    this.warmUp.welcome(worker, this.maxWorkers);
  }

  /** The worker that {@linkcode WorkerPool.takeIdle} takes next. */
  get nextIdle(): WorkerHandle | undefined {
    return this.#idle.at(-1);
  }

  /** Takes an idle worker, to hand it a call. */
  takeIdle(): WorkerHandle | undefined {
    const worker = this.#idle.pop();
    if (worker) worker.idle = false;
    return worker;
  }

  /** Takes this idle worker. */
  take(worker: WorkerHandle): void {
    this.#idle = this.#idle.filter((idle) => idle !== worker);
    worker.idle = false;
  }

  /** How many calls wait that only one worker may run. */
  get pinned(): number {
    let count = 0;
    for (const worker of this.workers) count += worker.pinned.length;
    for (const worker of this.#leaving) count += worker.pinned.length;
    return count;
  }

  /** Takes those calls: workers that have waited for nothing else are idle. */
  takePinned(): Call[] {
    const taken: Call[] = [];
    for (const worker of [...this.workers, ...this.#leaving]) {
      if (worker.pinned.length === 0) continue;
      taken.push(...worker.pinned.splice(0));
      this.release(worker);
    }
    return taken;
  }

  /** Makes a worker idle if it has no call, or dismisses it if it has to retire. */
  release(worker: WorkerHandle): void {
    if (worker.idle || worker.recalling || worker.state !== "ready" || worker.calls.size > 0) return;
    if (worker.pinned.length > 0) return;
    if (worker.retires) return this.dismiss(worker);
    worker.idle = true;
    worker.keepAlive(false);
    this.#idle.push(worker);
    worker.idleSince = performance.now();
    this.#limitIdleTime();
  }

  /** Dismisses idle workers in time, but while the workers are warmed up. */
  #limitIdleTime(): void {
    const { idleTimeout } = this.#settings;
    if (idleTimeout === Infinity || this.#idle.length === 0 || this.warmUp.isOn) return;
    this.#idleTimer ??= this.#armIdleTimer(idleTimeout);
  }

  #countIdleTimeAnew(): void {
    for (const worker of this.#idle) worker.idleSince = performance.now();
    this.#limitIdleTime();
  }

  /** Ends an idle worker, in order. */
  dismiss(worker: WorkerHandle): void {
    this.#leave(worker);
    worker.finalizing = this.#settings.finalizer !== undefined;
    worker.channel.stop(worker.finalizing);
  }

  readonly #onProgramDone = (): void => this.dismissIdle();

  /** Ends all idle workers, in order. */
  dismissIdle(): void {
    for (const worker of [...this.#idle]) this.dismiss(worker);
  }

  /** Ends the workers that are starting, however long that would take. */
  dismissStarting(): void {
    for (const worker of this.#starting) this.end(worker, "kill");
  }

  /** Lets the workers that are starting keep the program alive, or not. */
  keepStarting(alive: boolean): void {
    for (const worker of this.#starting) worker.keepAlive(alive);
  }

  /** Ends a worker now. */
  end(worker: WorkerHandle, how: "terminate" | "kill"): void {
    this.#leave(worker);
    worker.finalizing = false;
    worker.channel[how]();
  }

  /** Ends a worker that cannot be relied on; it counts as one that ended unasked. */
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
    this.#starting.delete(worker);
    if (worker.idle) this.take(worker);
    if (this.#idle.length === 0) {
      this.#idleTimer?.clear();
      this.#idleTimer = undefined;
    }
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

  /** Dismisses each worker when it has been idle for so long. */
  #armIdleTimer(timeout: number): Timer {
    const oldest = this.#idle[0]?.idleSince ?? performance.now();
    return startTimer(oldest + timeout - performance.now(), () => {
      this.#idleTimer = undefined;
      if (this.warmUp.isOn) return;
      const now = performance.now();
      for (const worker of [...this.#idle]) {
        if (now - worker.idleSince >= timeout) this.dismiss(worker);
      }
      this.#limitIdleTime();
    }, false);
  }
}
