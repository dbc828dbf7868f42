// The engine of local workers: takes calls in, hears what workers say, and settles calls. Which call goes to which worker is up
// to the dispatcher (dispatcher.ts), which workers there are to the pool (worker_pool.ts).

import type { WorkerExit } from "../wire/channel.ts";
import { blockingHere, eachInOneGo, inOneGo } from "../wire/blocking.ts";
import { type Failure, revive } from "../wire/failure.ts";
import { type Done, type FromWorker, readFromWorker } from "../wire/messages.ts";
import type { Backend } from "./backend.ts";
import { Dispatcher } from "./dispatcher.ts";
import { FinalizerReports } from "./finalizer_reports.ts";
import { learnCost } from "./learn_cost.ts";
import { Call } from "../executor/call.ts";
import type { QueueEntry } from "../executor/call_queue.ts";
import { Engine } from "../executor/engine.ts";
import { describeExit, ShutdownError, WorkerLostError } from "../future/errors.ts";
import { type LocalExecutorOptions, type PoolSettings, readOptions } from "./options.ts";
import { passOn } from "./pass_on.ts";
import { report } from "../report.ts";
import { StartTrouble } from "./start_trouble.ts";
import type { ExecutorStats } from "../executor/stats.ts";
import type { WorkerControl } from "../executor/worker_control.ts";
import { PinnedCall } from "./pinned_call.ts";
import { PoolControl } from "./pool_control.ts";
import { TaskTable } from "../executor/task_table.ts";
import type { WorkerHandle, WorkerState } from "./worker_handle.ts";
import { WorkerPool } from "./worker_pool.ts";

/** Runs calls on the workers of this machine. */
export class Scheduler extends Engine<ExecutorStats> {
  override readonly hasStreams = true;
  readonly tasks: TaskTable;
  override readonly workers: WorkerControl;
  readonly #settings: PoolSettings;
  readonly #pool: WorkerPool;
  readonly #dispatcher: Dispatcher;
  readonly #finalizers = new FinalizerReports();
  readonly #startTrouble = new StartTrouble();
  /** All workers are being ended. */
  #ending = false;

  constructor(backend: Backend, options: LocalExecutorOptions) {
    const settings = readOptions(backend, options);
    super(settings, backend.Broken);
    this.#settings = settings;
    this.tasks = new TaskTable(settings.inlineTasks);
    this.#pool = new WorkerPool(backend, settings, {
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onGone: (worker, exit, was) => this.#onGone(worker, exit, was),
      onUnsendable: (cause) => this.break("The arguments of the initializer cannot be sent to a worker", cause),
    });
    this.#dispatcher = new Dispatcher(this.queue, this.#pool, {
      canRun: () => this.canRun,
      requeue: (calls) => this.requeue(calls),
      onHandedOver: (call) => this.onHandedOver(call),
      onUnsendable: (call, reason) => this.reject(call, reason, "unsendable"),
      onDispatched: () => {
        this.queueLimit.wake();
        this.closeIfDone();
      },
    });
    this.workers = new PoolControl(this, this.#pool, this.#dispatcher, (calls) => this.requeue(calls));
  }

  submit(entry: QueueEntry<Call>): void {
    if (entry instanceof Call && entry.progress && !this.watch(entry)) return;
    if (this.enqueue(entry)) this.#dispatcher.queued(entry);
    else this.closeIfDone();
  }

  end(how: "terminate" | "kill"): void {
    this.#ending = true;
    void this.shutdown(true);
    this.#pool.endAll(how);
    this.closeIfDone();
  }

  get maxWorkers(): number {
    return this.#pool.maxWorkers;
  }

  override get refusesToBlock(): string | undefined {
    return this.#pool.refusesToBlock;
  }

  stats(): ExecutorStats {
    const { busy, held, running } = this.#pool.countCalls();
    return {
      workers: this.#pool.workers.size,
      idle: this.#pool.idle,
      busy,
      queued: this.queue.size + this.resting + this.#pool.pinned + held - running,
      running,
      ...this.countSettled(),
      lost: this.#pool.lost,
      abandoned: this.#pool.abandoned,
    };
  }

  // --- what workers say

  #onMessage(worker: WorkerHandle, received: FromWorker): void {
    const message = readFromWorker(received), { calls } = worker;
    switch (message?.kind) {
      case "done": {
        if (!calls.accepts(message.first, message.results.length)) break;
        const skipped = message.skipped && calls.takeSkipped(message.first, message.skipped);
        if (message.skipped && !skipped) break;
        return this.#settle(worker, message, skipped);
      }
      case "yields":
      case "pull":
      case "closed":
      case "reports":
        if (!passOn(message, calls)) break;
        return;
      case "unread":
        if (!calls.accepts(calls.first, 1)) break;
        return this.#settleUnread(worker);
      case "ready":
        if (worker.state !== "starting") break;
        this.#startTrouble.started();
        this.#pool.welcome(worker);
        return this.#dispatcher.dispatch();
      case "unready":
        if (worker.state !== "starting") break;
        return this.break(
          "An initializer failed, the executor is not usable anymore",
          revive(message.failure, this.#settings.errorTypes),
        );
      case "begun": {
        if (!calls.wasSent(message.call)) break;
        const call = calls.announce(message.call);
        if (call?.progress) this.onBegun(call);
        return;
      }
      case "recalled":
        if (!worker.recalling) break;
        this.requeue(worker.recalled(message.first));
        this.#pool.release(worker);
        return this.#dispatcher.dispatch();
      case "finalized":
        if (!worker.finalizing) break;
        worker.finalizing = false;
        this.#finalizers.ended(worker.name, message.failure, this.#settings.errorTypes);
        return this.#dispatcher.dispatch();
      case "bye":
        return worker.farewell(message.unbegun, message.uncaught); // the channel tells when it has ended
    }
    // A worker that sends nonsense cannot be relied on for anything; one that leaves already may send what it likes.
    if (worker.state === "leaving") return;
    report("A worker sent a malformed message:", worker.name, "it is ended, as nothing that it says can be relied on");
    this.#pool.lose(worker, new Error("It sent a malformed message"));
  }

  /** Settles the calls that a worker has answered; those that it has skipped are handed over anew. */
  #settle(worker: WorkerHandle, answers: Done, skipped: readonly Call[] | undefined): void {
    const { first, results, failures, spent, full } = answers;
    this.#startTrouble.answered();
    const calls = worker.calls.answered(first, results.length);
    learnCost(calls, spent / 1000);
    if (full) worker.retiring = true;
    this.#pool.release(worker);
    // All is as it will be: from here on, callbacks of users run.
    let next = 0, nextFailure = 0;
    if (blockingHere()) this.#dispatcher.dispatchInTurn(); // a callback may block
    inOneGo(() => {
      const again = skipped;
      skipped = undefined;
      if (again) this.requeue(again);
      while (next < calls.length) {
        const i = next++, call = calls[i];
        const failed = failures !== undefined && failures[nextFailure] === i;
        if (failed) nextFailure += 2;
        if (!call) continue;
        if (failed) {
          const reason = revive(failures[nextFailure - 1] as Failure, this.#settings.errorTypes);
          this.reject(call, reason, "task");
        } else this.fulfil(call, results[i]);
      }
    });
    this.#dispatcher.answered(worker);
  }

  /** Rejects the oldest call of a worker: a result that may be unreadable is alone in its message. */
  #settleUnread(worker: WorkerHandle): void {
    const streaming = worker.calls.at(worker.calls.first);
    if (streaming?.stream) {
      // It may be any of its values, and its task goes on: that has to end, too.
      const error = new DOMException("A value of the stream cannot be read here", "DataCloneError");
      return this.stop(streaming, () => this.reject(streaming, error, "unsendable"));
    }
    const [call] = worker.calls.answered(worker.calls.first, 1);
    this.#pool.release(worker);
    if (call) this.reject(call, new DOMException("The result cannot be read here", "DataCloneError"), "task");
    this.#dispatcher.dispatch();
  }

  // --- workers that end

  /** A worker is gone: the calls that it had begun fail, the others run elsewhere. */
  #onGone(worker: WorkerHandle, exit: WorkerExit, was: WorkerState): void {
    const { proven } = worker;
    if (worker.finalizing) this.#finalizers.unfinished(worker.name, exit);
    const left = worker.gone(exit);
    const lost = { workerName: worker.name, ...exit }, trouble = this.#startTrouble.gone(proven, exit, was, left);
    if (trouble) {
      const cause = exit.error ?? new WorkerLostError({ ...lost, started: false });
      this.break(`${trouble}: the last one ${describeExit(exit)}`, cause);
    } else if (was !== "leaving" && this.#settings.onWorkerLost === "break") {
      const cause = new WorkerLostError({ ...lost, started: left.length > 0 });
      this.break(`Worker ${worker.name} ${describeExit(exit)}`, cause, true);
    }
    this.requeue(left.filter(({ begun }) => begun === false).map(({ call }) => call).reverse());
    for (const call of worker.pinned.splice(0)) {
      this.reject(call, new WorkerLostError({ ...lost, started: false }), "lost");
    }
    eachInOneGo(left, ({ call, begun }) => {
      if (begun === false) return;
      if (this.broken) this.reject(call, this.brokenError(), "broken");
      else this.reject(call, new WorkerLostError({ ...lost, started: begun }), "lost");
    });
    this.#dispatcher.dispatch();
  }

  /** A call that only one worker may run waits there. If that worker is gone, the call fails when all of them are settled. */
  protected override requeue(calls: readonly Call[]): void {
    for (const call of calls) if (call instanceof PinnedCall) call.home.pinned.unshift(call);
    super.requeue(calls.filter((call) => !(call instanceof PinnedCall)));
    if (!this.canRun) this.#settlePinned();
  }

  /** Settles the calls that wait for one worker: they will not run. */
  #settlePinned(): void {
    for (const call of this.#pool.takePinned()) this.turnAway(call);
  }

  /** Ends the worker of a call that has to stop; its other calls run elsewhere. */
  protected stop(call: Call, settle: () => void): void {
    const worker = call.worker as WorkerHandle;
    worker.calls.forget(call);
    call.worker = worker; // it counts as begun until it is settled
    this.requeue(worker.calls.withdrawAll());
    this.#pool.end(worker, "kill");
    settle();
    this.#dispatcher.dispatch();
  }

  /** How many calls wait; one that an idle worker gets at the end of the tick does not. */
  protected get waiting(): number {
    return Math.max(0, this.queue.size - this.#pool.idle);
  }

  protected onSlotFreed(): void {
    this.#dispatcher.dispatchSoon();
  }

  // --- the end of all

  override shutdown(cancelFutures: boolean): Promise<void> {
    this.#pool.warmUp.fail(new ShutdownError("The executor was shut down before all workers were ready"));
    return super.shutdown(cancelFutures);
  }

  /** Cancels what is queued, and what workers were handed ahead, those of processes as soon as they have given it back. */
  protected override cancelWaiting(): void {
    super.cancelWaiting();
    this.#settlePinned();
    for (const worker of this.#pool.workers) {
      this.requeue(worker.calls.withdrawAll());
      // A worker that is being ended is not asked: Deno (2.9) loses last messages over one that is under way.
      if (!this.#ending) worker.recall(true);
    }
  }

  /** Breaks, and ends the workers that hold no call; with `now`, all of them. */
  protected override break(message: string, cause: unknown, now = false): void {
    super.break(message, cause);
    this.#settlePinned();
    this.#pool.warmUp.fail(this.brokenError());
    for (const worker of this.#pool.workers) {
      if (now || worker.calls.size === 0) this.#pool.end(worker, "kill");
    }
  }

  /** Shut down or broken, and nothing left to do: ends the workers, and closes when they are gone. */
  protected closeIfDone(): void {
    if (!this.closing && !this.broken) return;
    if (this.queue.size > 0 || this.resting > 0 || this.#pool.pinned > 0) return;
    if (!this.#ending) this.#pool.dismissIdle(); // or else their finalizers would begin
    if (this.#pool.starting > 0 && !this.#dispatcher.needsWorker) this.#pool.dismissStarting();
    if (this.closing && this.#pool.empty) this.close();
  }
}
