// Which call goes to which worker, and when: the only place with that decision, for threads and processes alike.
//
// An idle worker gets the next call at once. Busy workers are handed calls ahead, those of one tick in one message, as many as
// they are expected to run within BUDGET, judged by how long that very task has taken so far: a worker never waits for its
// next short call, and no call waits behind a long or unknown one. How many that are at most grows with the calls of the task
// that were short. When a worker falls idle nevertheless, it gets calls that others were handed ahead.
//
// What was handed ahead is taken back, as far as it has not begun, for calls of a higher priority, and when the call before it
// turns out to be long (watch.ts).

import { Call, expectedCost } from "../executor/call.ts";
import type { CallQueue, QueueEntry } from "../executor/call_queue.ts";
import { assertInvariant, invariantsAreChecked } from "../invariant.ts";
import { atNextTurn, atTickEnd } from "../wire/blocking.ts";
import { Watch } from "./watch.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import type { WorkerPool } from "./worker_pool.ts";

/**
 * How much work a worker is handed ahead at most, in milliseconds. More means fewer and larger messages; each message takes
 * some 0.1 ms of a core, if only to wake the worker. Less means exacter cancelling. It is more than twice what a worker works
 * on before it answers (SLICE), so that the rest lasts until more has come. Calls of 1 ms, on two cores, take 1 % less time
 * with 20 than with 8 on Bun 1.4, 1 to 2 % on Node 24 and 3 to 4 % on Deno 2.9; the main thread works a quarter less for them.
 */
const BUDGET = 20;

/**
 * How many calls a worker is handed ahead for each call of their task that was short, with none since that was long: what is at
 * stake grows with each answer, and one quick call proves little. Six answers prove enough for the largest message.
 */
const GROWTH = 4;

/** Maximum number of calls in one message. */
const LARGEST_BATCH = 1024;

/**
 * A worker without claims, which cannot give a call back in time, is handed calls ahead only while more than this number are
 * queued: the last few, which somebody may want to cancel, stay in the queue, at the price of a round trip each.
 */
const FEW = 32;

/**
 * A call that is expected to take less, in milliseconds, and is not the first of its tick waits for the end of the tick: to
 * wake a worker takes 0.03 to 0.1 by itself (bench/results.md), and at the end of the tick one message has the whole burst.
 * Bursts of ten calls on two workers are 12 % faster for it on Node 24 and 25 % on Deno 2.9. Calls to workers without claims
 * do not wait: the others of their burst could not be cancelled any more.
 */
const WAKE = 0.1;

/**
 * Maximum number of answers of busy workers, per turn of the event loop, after which those workers are handed more at once.
 * Without a limit there is always another answer to read, from the same thread (Node 24) or before the results are taken
 * (Deno 2.9), and 200,000 results of a map() pile up: with 16, it is 31 % faster on Node, 41 % on Deno, 14 % on Bun 1.4. With
 * 8, bursts are slower.
 */
const ANSWERS_PER_TURN = 16;

/** What the dispatcher asks of its engine. */
export interface DispatcherOwner {
  /** Whether queued calls will run. */
  canRun(): boolean;
  /** Calls were withdrawn from a worker, the youngest first: they wait again, before all others of their priority. */
  requeue(calls: readonly Call[]): void;
  /** A call that may be stopped was handed to a worker. */
  onHandedOver(call: Call): void;
  /** The arguments of a call cannot be sent. */
  onUnsendable(call: Call, reason: unknown): void;
  /** Workers have been handed what they have room for. */
  onDispatched(): void;
}

/** Hands queued calls to the workers of a pool, and has it start workers. */
export class Dispatcher {
  readonly #queue: CallQueue<Call>;
  readonly #pool: WorkerPool;
  readonly #owner: DispatcherOwner;
  #isDispatchDue = false;
  #isTurnDue = false;
  /** Answers of busy workers that were read in this turn of the event loop. */
  #answersInTurn = 0;
  /** How many calls were handed over so far. */
  #turn = 0;
  /** The priority of the calls that are being shared out, and how many of them each worker gets. */
  #sharing: { readonly priority: number; readonly each: number } | undefined;
  readonly #watch: Watch;

  constructor(queue: CallQueue<Call>, pool: WorkerPool, owner: DispatcherOwner) {
    this.#queue = queue;
    this.#pool = pool;
    this.#owner = owner;
    this.#watch = new Watch(pool.workers, (worker) => this.#takeFromBehind(worker));
  }

  /** Calls were submitted and are in the queue: an idle worker gets one now, the rest follows at the end of the tick. */
  queued(entry: QueueEntry<Call>): void {
    const joinsBurst = this.#isDispatchDue && entry.cost < WAKE && this.#pool.nextIdle?.channel.claims !== undefined;
    if (!joinsBurst) {
      // The calls of a map() are shared out to all workers, and the rest of a chunk has yet to come.
      const mayGoAlone = entry instanceof Call && !entry.chunk;
      const worker = mayGoAlone ? this.#pool.takeIdle() : undefined;
      if (worker) this.#fill(worker, true);
      else this.#startWorkers();
    }
    this.dispatchSoon();
  }

  /** More workers may be started: those that are wanted start now, the rest follows at the end of the tick. */
  workersWanted(): void {
    this.#startWorkers();
    this.dispatchSoon();
  }

  /** Workers have calls that no other may run: the idle ones get them now. */
  pinned(workers: readonly WorkerHandle[]): void {
    for (const worker of workers) if (worker.idle) this.#fillPinned(worker);
    this.dispatchSoon();
  }

  /** A worker has answered: it is handed more now, unless others have to have their turn first. */
  answered(worker: WorkerHandle): void {
    if (worker.calls.size === 0 || this.#isInTurn()) this.dispatch();
  }

  /** Dispatches when the event loop, or a blocking wait in its place, comes round. */
  dispatchInTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    atNextTurn(() => {
      this.#isTurnDue = false;
      this.#answersInTurn = 0;
      this.dispatch();
    });
  }

  /** Dispatches at the end of the tick. */
  dispatchSoon(): void {
    if (this.#isDispatchDue) return;
    this.#isDispatchDue = true;
    atTickEnd(() => {
      this.#isDispatchDue = false;
      this.dispatch();
    });
  }

  /** Hands calls to the workers that have room, the idle ones first, and starts more workers when that is not enough. */
  dispatch(): void {
    const pool = this.#pool;
    this.#sharing = undefined;
    for (const worker of pool.workers) if (worker.takesPinned) this.#fillPinned(worker);
    this.#fillIdle();
    this.#startWorkers();
    this.#overtake();
    this.#fillBusy();
    if (pool.idle > 0) {
      this.#rebalance();
      this.#overtake();
    }
    // A worker that nobody waits for does not keep the program alive, however long it takes to start.
    if (pool.starting > 0) pool.keepStarting(this.needsWorker);
    this.#owner.onDispatched();
    if (invariantsAreChecked()) this.#assertInvariants();
  }

  /**
   * Whether a worker that starts is wanted: for a call in the queue or behind another, for one
   * that only this worker may run, or to be warm.
   */
  get needsWorker(): boolean {
    if (this.#queue.size > 0 || this.#pool.warmUp.isOn) return true;
    for (const { calls, pinned } of this.#pool.workers) if (calls.behind > 0 || pinned.length > 0) return true;
    return false;
  }

  /** Starts a worker for each call that another worker could run, or all, as far as there may be more workers. */
  #startWorkers(): void {
    const pool = this.#pool, owner = this.#owner;
    if (!pool.canStart || !owner.canRun()) return;
    let wanting = pool.warmUp.isOn ? Infinity : this.#queue.size;
    for (const worker of pool.workers) wanting += worker.calls.behind;
    while (wanting > pool.starting && pool.canStart && owner.canRun()) pool.start();
  }

  /** Hands a worker the next call that no other may run, by itself: nothing behind it waits for a call of unknown length. */
  #fillPinned(worker: WorkerHandle): void {
    if (worker.idle) this.#pool.take(worker);
    while (worker.takesPinned) {
      const call = worker.pinned.shift()!;
      call.turn = this.#turn++;
      worker.calls.add(call);
      this.#send(worker, expectedCost(call.task) === Infinity);
    }
    this.#pool.release(worker);
  }

  #fillIdle(): void {
    while (this.#queue.size > 0) {
      const worker = this.#pool.takeIdle();
      if (!worker) return;
      this.#fill(worker);
    }
  }

  /**
   * Takes back what has not begun and has a lower priority than the next queued call. Nothing is left for the worker to do until
   * the next message comes: with a millisecond of calls left there, neither those nor the others are answered earlier.
   */
  #overtake(): void {
    const { head } = this.#queue;
    if (!head) return;
    const { priority } = head, overtaken: Call[] = [];
    for (const worker of this.#pool.workers) {
      const { calls } = worker;
      if (calls.size < 2 || calls.lowest >= priority) continue;
      if (worker.channel.claims) overtaken.push(...calls.withdrawBelow(priority));
      else if (calls.last && calls.last.priority < priority) worker.recall(false);
      if (worker.takesPinned) this.dispatchSoon(); // it had begun none of them
    }
    if (overtaken.length > 0) this.#owner.requeue(overtaken.sort((a, b) => b.turn - a.turn));
  }

  /** A worker runs a call that is long, and was not expected to be: what is behind it runs elsewhere, or waits for a worker. */
  #takeFromBehind(worker: WorkerHandle): void {
    const { calls } = worker;
    if (calls.running) calls.running.task.proven = 0;
    calls.cost = Infinity; // nothing more is handed to it until it is idle
    if (worker.channel.claims) this.#owner.requeue(calls.withdrawLast(Infinity));
    else worker.recall(false);
    this.dispatch();
  }

  #fillBusy(): void {
    // A call that waits for a starting worker gets that worker for itself: it is not put behind another.
    if (this.#queue.size <= this.#pool.starting) return;
    // Whoever has its part already, as it was idle, gets more only of what the others leave.
    for (const part of [this.#share(), Infinity]) {
      for (const worker of this.#pool.workers) {
        if (this.#queue.size === 0) return;
        const { calls } = worker;
        const isBusy = worker.state === "ready" && calls.size > 0;
        // At half of what it may hold: fewer messages, and none too late.
        const runsLow = calls.cost < BUDGET / 2 && calls.size <= this.#mostAhead / 2;
        const givesBack = worker.channel.claims !== undefined;
        if (isBusy && runsLow && calls.size < part && (givesBack || this.#queue.size > FEW)) this.#fill(worker);
      }
    }
  }

  /** How many calls a worker may hold for the next queued call to go behind them. */
  get #mostAhead(): number {
    return (this.#queue.head?.task.proven ?? 0) * GROWTH;
  }

  /**
   * One worker's part of the queued calls that have the highest priority: an even one, so that the last calls of a burst end at
   * the same time everywhere. It stays the same while they are handed out: of a part of what the workers before have left, each
   * would get half of the last one's, and a burst of 50 calls cost six messages instead of two.
   */
  #share(): number {
    const { head, peers } = this.#queue;
    if (!head) return 0;
    if (this.#sharing?.priority !== head.priority) {
      const each = Math.ceil((peers - this.#pool.starting) / this.#pool.ready);
      this.#sharing = { priority: head.priority, each: Math.min(LARGEST_BATCH, each) };
    }
    return this.#sharing.each;
  }

  /**
   * Hands calls to a worker, and sends them.
   *
   * @param worker The worker. An idle one gets a call, however long that takes.
   * @param single Whether it is handed one call, or its share. All calls of a chunk count as one, and a worker with room gets
   *   at least one that fits.
   */
  #fill(worker: WorkerHandle, single = false): void {
    const queue = this.#queue, { calls } = worker;
    let priority = queue.head?.priority, most = single ? 1 : this.#share();
    const wasIdle = calls.size === 0;
    // The results of short calls do not wait for a long one, and a process says that it begins a long one.
    const exact = wasIdle && queue.head !== undefined && expectedCost(queue.head.task) === Infinity;
    let handed = 0;
    let last: Call | undefined;
    for (let head = queue.head; head && worker.hasRoom; head = queue.head) {
      if (head.priority !== priority && !single) {
        priority = head.priority;
        most = handed + this.#share();
      }
      if (!worker.takesBehind(head)) break;
      const continuesChunk = last !== undefined && last.chunk !== undefined && head.chunk === last.chunk;
      const isFirstOfIdle = wasIdle && handed === 0;
      const isWithinShare = handed < most || handed === 0;
      const isWithinBudget = calls.cost + head.cost <= BUDGET && calls.size <= this.#mostAhead;
      if (!continuesChunk && !isFirstOfIdle && !(isWithinShare && isWithinBudget)) break;
      calls.add(last = queue.shift()!);
      last.turn = this.#turn++;
      handed++;
    }
    if (handed > 0) this.#send(worker, exact);
    if (calls.behind > 0) this.#watch.begin();
    if (last?.progress) this.#owner.onHandedOver(last); // a call that may be stopped is the only one
    this.#pool.release(worker);
    if (worker.takesPinned) this.dispatchSoon(); // nothing of what it was handed could be sent
  }

  #send(worker: WorkerHandle, exact: boolean): void {
    worker.keepAlive(true);
    worker.send(exact, this.#owner.onUnsendable);
    if (worker.unreachable) this.#pool.lose(worker, new Error("Nothing can be sent to it"));
  }

  /** With nothing queued and a worker idle, no call may wait behind another. */
  #rebalance(): void {
    for (const worker of this.#pool.workers) {
      if (this.#queue.size > 0 || this.#pool.idle === 0) return;
      const { calls } = worker;
      if (calls.size < 2) continue;
      this.#owner.requeue(calls.withdrawLast(Math.ceil((calls.size - 1) / 2)));
      this.#sharing = undefined;
      if (this.#queue.size > 0) this.#fillIdle();
      else if (calls.size > 1) worker.recall(false);
    }
  }

  /** Whether a busy worker may be handed more at once. If not, there is a dispatch when everybody has had a turn. */
  #isInTurn(): boolean {
    this.dispatchInTurn();
    return ++this.#answersInTurn <= ANSWERS_PER_TURN;
  }

  /** Nothing of a lower priority than the next queued call is in a worker that could give it back. */
  #assertOrder(): void {
    const { head } = this.#queue;
    for (const { calls, channel } of this.#pool.workers) {
      const { last } = calls;
      if (!head || !channel.claims || calls.size < 2 || !last || last.chunk || last.priority >= head.priority) continue;
      assertInvariant(calls.hasBegun(last), "a higher priority overtakes what was handed ahead");
    }
  }

  /** What holds after each dispatch. */
  #assertInvariants(): void {
    const { idle, workers } = this.#pool;
    assertInvariant(this.#owner.canRun() || this.#queue.size === 0, "nothing waits in an engine that cannot run it");
    assertInvariant(
      this.#queue.size === 0 || idle === 0 || this.#isDispatchDue,
      "nothing waits while a worker is idle",
    );
    for (const worker of workers) {
      worker.assertInvariants();
      assertInvariant(!worker.takesPinned || this.#isDispatchDue, "no call waits for a worker that could take it");
      assertInvariant(!worker.isForgotten, "a worker that nothing is awaited of is idle");
    }
    if (!this.#isDispatchDue) this.#assertOrder();
  }
}
