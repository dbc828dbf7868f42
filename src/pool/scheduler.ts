// Which call goes to which worker, and when: the only place with that decision, for threads and processes alike.
//
// An idle worker gets the next call at once. Beyond that, calls are handed ahead to busy workers, in one message for all
// that were submitted in a tick, as many as they are expected to run within BUDGET, judged by how long that very task has
// been taking: a worker never waits for its next short call, and no call waits behind a long or unknown one. What was
// handed ahead nevertheless goes elsewhere as soon as a worker is idle.

import type { WorkerExit } from "../wire/channel.ts";
import { type Failure, revive } from "../wire/failure.ts";
import { type Done, type FromWorker, readFromWorker } from "../wire/messages.ts";
import type { Backend } from "./backend.ts";
import { Call, expectedCost } from "../executor/call.ts";
import type { QueueEntry } from "../executor/call_queue.ts";
import { Engine } from "../executor/engine.ts";
import { CancelledError, describeExit, WorkerLostError } from "../future/errors.ts";
import { assertInvariant, invariantsAreChecked } from "../invariant.ts";
import { type ProcessPoolExecutorOptions, readOptions, type Settings } from "./options.ts";
import { report } from "../report.ts";
import type { ExecutorStats } from "../executor/stats.ts";
import { TaskTable } from "../executor/task_table.ts";
import type { WorkerHandle, WorkerState } from "./worker_handle.ts";
import { WorkerPool } from "./worker_pool.ts";

/**
 * How much work a worker may be handed ahead, in milliseconds. More: fewer, larger messages, of which each takes a core
 * some 0.1 ms, if only to wake up for it. Less: exacter cancelling. It is more than twice what a worker works on before it
 * answers (SLICE), so that the rest of it lasts until more has come. Calls of 1 ms, on two cores, take 1 % less time with 20
 * than with 8 on Bun 1.4, 1 to 2 % on Node 24 and 3 to 4 % on Deno 2.9; the main thread works a quarter less for them.
 */
const BUDGET = 20;

/** Calls of one message at most. */
const LARGEST_BATCH = 1024;

/**
 * A process, which cannot give a call back in time, is handed calls ahead only while more than so many wait: the few that
 * somebody may want to cancel stay here, at the price of a round trip each.
 */
const FEW = 32;

/**
 * Calls that take less, in milliseconds, wait for the end of the tick when they are not its first: to wake a worker takes
 * 0.03 to 0.1 by itself (bench/results.md), and then the others of the burst are in the same message. Bursts of ten calls on
 * two workers are 12 % faster for it on Node 24 and 25 % on Deno 2.9. Not those of processes, where the others of a burst
 * could not be cancelled any more.
 */
const WAKE = 0.1;

/** Workers that may fail to start, in a row, or end before they begin their first call, until the executor is broken. */
const START_ATTEMPTS = 3;

/**
 * Answers of busy workers that are read in a row, at most, while those workers are handed more. Without a limit there is
 * always another answer to read, from the same thread (Node 24) or before the results are taken (Deno 2.9), and 200,000
 * results of a map() pile up: with 16, it is 31 % faster on Node, 41 % on Deno, 14 % on Bun 1.4. With 8, bursts are slower.
 */
const ANSWERS_PER_TURN = 16;

declare function setImmediate(fn: () => void): unknown;

/** Runs calls on workers. */
export class Scheduler extends Engine<ExecutorStats> {
  readonly tasks: TaskTable;
  readonly #settings: Settings;
  readonly #pool: WorkerPool;
  #failedStarts = 0;
  /** Workers that ended before they began their first call, since the last answer of any. */
  #useless = 0;
  #dispatchQueued = false;
  /** Answers of busy workers that were read since the event loop has come round. */
  #answersInTurn = 0;
  /** All workers are being ended. */
  #ending = false;

  constructor(backend: Backend, options: ProcessPoolExecutorOptions) {
    const settings = readOptions(backend, options);
    super(settings, backend.Broken);
    this.#settings = settings;
    this.tasks = new TaskTable(settings.inlineTasks);
    this.#pool = new WorkerPool(backend, settings, {
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onGone: (worker, exit, was) => this.#onGone(worker, exit, was),
      onUnsendable: (cause) => this.break("The arguments of the initializer cannot be sent to a worker", cause),
    });
  }

  submit(entry: QueueEntry<Call>): void {
    const alone = entry instanceof Call;
    if (alone && entry.progress && !this.watch(entry)) return;
    if (!this.enqueue(entry)) return this.closeIfDone();
    const patient = this.#dispatchQueued && entry.cost < WAKE && this.#pool.next?.channel.claims !== undefined;
    // Of many, each worker gets its share; the rest of a chunk has yet to come.
    const idle = alone && !patient && !entry.chunk && this.#pool.take();
    if (idle) this.#fill(idle, 1);
    else if (!patient) this.#startWorkers();
    this.#dispatchSoon();
  }

  end(how: "terminate" | "kill"): void {
    this.#ending = true;
    void this.shutdown(true);
    this.#pool.endAll(how);
    this.closeIfDone();
  }

  get maxWorkers(): number {
    return this.#settings.maxWorkers;
  }

  stats(): ExecutorStats {
    let busy = 0, held = 0, running = 0;
    for (const worker of this.#pool.workers) {
      if (worker.held === 0) continue;
      busy++;
      held += worker.held;
      running += worker.countBegun();
    }
    return {
      workers: this.#pool.workers.size,
      idle: this.#pool.idle,
      busy,
      queued: this.queue.size + this.resting + held - running,
      running,
      ...this.settled,
      lost: this.#pool.lost,
      abandoned: this.#pool.abandoned,
    };
  }

  // --- handing over

  #dispatchSoon(): void {
    if (this.#dispatchQueued) return;
    this.#dispatchQueued = true;
    queueMicrotask(() => {
      this.#dispatchQueued = false;
      this.#dispatch();
    });
  }

  /** Hands calls to the workers that have room, the idle ones first, and starts more workers when that is not enough. */
  #dispatch(): void {
    const pool = this.#pool;
    this.#fillIdle();
    this.#startWorkers();
    // A call that waits for a starting worker gets that worker for itself: it is not put behind another.
    if (this.queue.size > pool.starting) {
      for (const worker of pool.workers) {
        if (worker.state !== "ready" || worker.held === 0 || worker.ahead >= BUDGET / 2) continue;
        if (worker.channel.claims || this.queue.size > FEW) this.#fill(worker, this.#share());
      }
    }
    if (pool.idle > 0) this.#rebalance();
    // A worker that nobody waits for does not keep the program alive, however long it takes to start.
    if (pool.starting > 0) pool.keepStarting(this.#wanting > 0);
    this.queueLimit.wake();
    this.closeIfDone();
    if (invariantsAreChecked()) this.#assertInvariants();
  }

  /** What holds after each dispatch. */
  #assertInvariants(): void {
    const { idle, workers } = this.#pool;
    assertInvariant(this.canRun || this.queue.size === 0, "nothing waits in an engine that cannot run it");
    assertInvariant(
      this.queue.size === 0 || idle === 0 || this.#dispatchQueued,
      "nothing waits while a worker is idle",
    );
    for (const worker of workers) worker.assertInvariants();
  }

  #fillIdle(): void {
    while (this.queue.size > 0) {
      const worker = this.#pool.take();
      if (!worker) return;
      this.#fill(worker, this.#share());
    }
  }

  /** An even part of the queue, so that the last calls of a burst end at the same time everywhere. */
  #share(): number {
    return Math.min(LARGEST_BATCH, Math.ceil((this.queue.size - this.#pool.starting) / this.#pool.ready));
  }

  /** Hands up to `most` calls to a worker: one if it is idle, whatever that takes, and what fits into the budget. */
  #fill(worker: WorkerHandle, most: number): void {
    const idle = worker.held === 0;
    // Results must not wait for a long call, and a process has to say that it begins one.
    const exact = idle && this.queue.head !== undefined && expectedCost(this.queue.head.task) === Infinity;
    let handed = 0;
    let last: Call | undefined;
    for (let head = this.queue.head; head && worker.hasRoom; head = this.queue.head) {
      const isOfChunk = last !== undefined && last.chunk !== undefined && head.chunk === last.chunk;
      const fits = worker.ahead + head.cost <= BUDGET;
      const mayFollow = handed === 0 ? idle || fits : handed < most && fits;
      if (!isOfChunk && !mayFollow) break;
      worker.hand(last = this.queue.shift()!);
      handed++;
    }
    if (handed > 0) this.#send(worker, exact);
    if (last?.progress) this.handedOver(last); // what has a time limit is the only one
    this.#pool.release(worker);
  }

  #send(worker: WorkerHandle, exact: boolean): void {
    worker.keepAlive(true);
    worker.send(exact, this.#onUnsendable);
    if (worker.unreachable) this.#pool.lose(worker, new Error("Nothing can be sent to it"));
  }

  readonly #onUnsendable = (call: Call, reason: unknown) => this.reject(call, reason, "final");

  /** With nothing queued and a worker idle, no call may wait behind another. */
  #rebalance(): void {
    for (const worker of this.#pool.workers) {
      if (this.queue.size > 0 || this.#pool.idle === 0) return;
      if (worker.held < 2) continue;
      for (const call of worker.takeBack(Math.ceil((worker.held - 1) / 2))) this.enqueue(call, true);
      if (this.queue.size > 0) this.#fillIdle();
      else if (worker.held > 1) worker.recall(false);
    }
  }

  /** Calls that another worker could run: those that wait here, or behind another in a worker. */
  get #wanting(): number {
    let wanting = this.queue.size;
    for (const worker of this.#pool.workers) wanting += worker.behind;
    return wanting;
  }

  /** As many as there are calls for. */
  #startWorkers(): void {
    if (!this.#pool.canStart || !this.canRun) return;
    const wanting = this.#wanting;
    while (wanting > this.#pool.starting && this.#pool.canStart && this.canRun) this.#pool.start();
  }

  // --- what workers say

  #onMessage(worker: WorkerHandle, received: FromWorker): void {
    const message = readFromWorker(received);
    switch (message?.kind) {
      case "done":
        if (!worker.accepts(message.first, message.results.length)) break;
        return this.#settle(worker, message);
      case "unread":
        if (!worker.accepts(worker.oldest, 1)) break;
        return this.#settleUnread(worker);
      case "ready":
        if (worker.state !== "starting") break;
        this.#failedStarts = 0;
        this.#pool.welcome(worker);
        return this.#dispatch();
      case "unready":
        if (worker.state !== "starting") break;
        return this.break(
          "An initializer failed, the executor is not usable anymore",
          revive(message.failure, this.#settings.errorTypes),
        );
      case "begun": {
        if (!worker.has(message.call)) break;
        const call = worker.begin(message.call);
        if (call?.progress) this.begun(call);
        return;
      }
      case "recalled":
        if (!worker.recalling) break;
        for (const call of worker.recalled(message.first)) this.enqueue(call, true);
        this.#pool.release(worker);
        return this.#dispatch();
      case "bye":
        return worker.farewell(message.unbegun, message.uncaught); // the channel tells the rest
    }
    // A worker that speaks nonsense cannot be relied on for anything; one that leaves already may say what it likes.
    if (worker.state === "leaving") return;
    report("Ending a worker that sent a malformed message:", worker.name, "another takes its place");
    this.#pool.lose(worker, new Error("It sent a malformed message"));
  }

  /** Gives the answers to those who wait for them. */
  #settle(worker: WorkerHandle, { first, results, failures, spent, full }: Done): void {
    this.#useless = 0;
    const calls = worker.answered(first, results.length);
    learnCost(calls, spent / 1000);
    if (full) worker.remaining = 0;
    this.#pool.release(worker);
    // All is as it will be: from here on, callbacks of users run.
    let nextFailure = 0;
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i];
      const failed = failures !== undefined && failures[nextFailure] === i;
      if (failed) nextFailure += 2;
      if (!call) continue;
      if (failed) {
        const reason = revive(failures[nextFailure - 1] as Failure, this.#settings.errorTypes);
        this.reject(call, reason, "thrown");
      } else this.fulfil(call, results[i]);
    }
    if (worker.held === 0 || this.#inTurn()) this.#dispatch();
  }

  /** What may be unreadable is alone in its message, so it is the answer to one call. */
  #settleUnread(worker: WorkerHandle): void {
    const [call] = worker.answered(worker.oldest, 1);
    this.#pool.release(worker);
    if (call) {
      this.reject(call, new DOMException("The result cannot be read here", "DataCloneError"), "thrown");
    }
    this.#dispatch();
  }

  /** Whether a busy worker may be handed more at once. If not, it is when everybody has had a turn. */
  #inTurn(): boolean {
    if (this.#answersInTurn++ === 0) {
      setImmediate(() => {
        this.#answersInTurn = 0;
        this.#dispatch();
      });
    }
    return this.#answersInTurn <= ANSWERS_PER_TURN;
  }

  /** A worker is gone. What it had begun fails, the rest runs elsewhere. */
  #onGone(worker: WorkerHandle, exit: WorkerExit, was: WorkerState): void {
    const lost = { workerName: worker.name, ...exit };
    const { proven } = worker;
    const calls = worker.abandon(exit);
    const useless = was === "ready" && !proven && calls.length > 0 && calls.every(({ started }) => started === false);
    if (
      (was === "starting" && ++this.#failedStarts >= START_ATTEMPTS) || (useless && ++this.#useless >= START_ATTEMPTS)
    ) {
      const cause = exit.error ?? new WorkerLostError({ ...lost, started: false });
      const end = useless ? "Workers end before they begin a call" : "Workers could not be started";
      this.break(`${end}: the last one ${describeExit(exit)}`, cause);
    } else if (was !== "leaving" && this.#settings.onWorkerLost === "break") {
      this.break(
        `Worker ${worker.name} ${describeExit(exit)}`,
        new WorkerLostError({ ...lost, started: calls.length > 0 }),
        true,
      );
    }
    for (const { call, started } of calls.reverse()) {
      // What has not begun runs elsewhere, or is told why not.
      if (started === false || this.broken) this.enqueue(call, true);
      else this.reject(call, new WorkerLostError({ ...lost, started }), "lost");
    }
    this.#dispatch();
  }

  /** Ends the worker of a call that has to stop; only that call has to. */
  protected stop(call: Call, settle: () => void): void {
    const worker = call.worker as WorkerHandle;
    worker.forget(call);
    for (const other of worker.takeBack(Infinity)) this.enqueue(other, true);
    this.#pool.end(worker, "kill");
    settle();
    this.#dispatch();
  }

  /** A call that an idle worker gets at the end of the tick does not wait. */
  protected get waiting(): number {
    return Math.max(0, this.queue.size - this.#pool.idle);
  }

  protected onSlotFreed(): void {
    this.#dispatchSoon();
  }

  // --- the end

  /** As of every engine, and what workers were handed ahead, as soon as they have given it back. */
  protected override cancelWaiting(): void {
    super.cancelWaiting();
    for (const worker of this.#pool.workers) {
      for (const call of worker.takeBack(Infinity)) this.cancel(call, new CancelledError());
      // A worker that is ended at once is asked for nothing: Deno (2.9) loses last messages over one that is under way.
      if (!this.#ending) worker.recall(true);
    }
  }

  /** As of every engine, and the workers go. `now`: those that run something, too. */
  protected override break(message: string, cause: unknown, now = false): void {
    super.break(message, cause);
    for (const worker of this.#pool.workers) {
      if (now || worker.held === 0) this.#pool.end(worker, "kill");
    }
  }

  /** Shut down or broken, and nothing left to do: the workers go, and when they are gone it is over. */
  protected closeIfDone(): void {
    if (!this.closing && !this.broken) return;
    if (this.queue.size === 0 && this.resting === 0) {
      this.#pool.dismissIdle();
      if (this.#pool.starting > 0 && this.#wanting === 0) this.#pool.dismissStarting();
    }
    if (this.closing && this.#pool.empty && this.queue.size === 0 && this.resting === 0) {
      this.close();
    }
  }
}

/** Learns from an answer how long calls of its task take. Calls of several tasks are in one only when all are short. */
function learnCost(calls: readonly (Call | undefined)[], spent: number): void {
  let answered = 0, mixed = false;
  let task: Call["task"] | undefined;
  for (const call of calls) {
    if (!call) continue;
    answered++;
    if (task === undefined) task = call.task;
    else if (task !== call.task) mixed = true;
  }
  if (!task) return;
  const cost = spent / answered;
  task.cost = mixed || task.cost === Infinity ? Math.min(task.cost, cost) : (task.cost + cost) / 2;
}
