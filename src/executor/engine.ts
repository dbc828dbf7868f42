// What every engine does, whatever runs its calls: it queues them, withdraws them, breaks, shuts down and closes.

import { isExiting } from "../runtime.ts";
import { atTickEnd, eachInOneGo } from "../wire/blocking.ts";
import { Call, type CallEngine } from "./call.ts";
import { CallQueue, type QueueEntry } from "./call_queue.ts";
import { type Deferred, deferred } from "../future/deferred.ts";
import { type BrokenExecutor, CancelledError, ShutdownError } from "../future/errors.ts";
import { Guard } from "./guard.ts";
import { QueueLimit } from "./queue_limit.ts";
import type { CallStats } from "./stats.ts";
import type { WorkerControl } from "./worker_control.ts";
import { CallLifecycle } from "./call_lifecycle.ts";
import type { TaskTable } from "./task_table.ts";
import { UnobservedFailures, type UnobservedHandler } from "../future/unobserved.ts";

/** The options that every engine has. */
interface EngineSettings {
  readonly name: string;
  readonly maxQueue: number;
  readonly onUnobserved: UnobservedHandler | undefined;
}

/** The class of the error when the executor is broken. */
export type BrokenClass = new (message: string, options?: ErrorOptions) => BrokenExecutor;

/** How the executor broke. */
interface Break {
  readonly message: string;
  readonly cause: unknown;
}

/**
 * Runs the calls of an executor; a subclass says on what.
 *
 * @internal
 */
export abstract class Engine<Stats extends CallStats = CallStats> extends CallLifecycle implements CallEngine {
  abstract readonly tasks: TaskTable;
  /** What can be done with the workers; `undefined` where they are not of this program. */
  readonly workers: WorkerControl | undefined = undefined;
  readonly guard: Guard | undefined = Guard.here();
  readonly unobserved: UnobservedFailures;
  readonly queueLimit: QueueLimit;
  /** Calls that wait for a worker. */
  protected readonly queue: CallQueue<Call> = new CallQueue<Call>();
  protected broken: Break | undefined = undefined;
  protected closing = false;
  /** Whether calls that would be queued are cancelled instead. */
  protected cancelling = false;
  readonly #Broken: BrokenClass;
  #closed: Deferred<void> | undefined = undefined;
  #isOver = false;

  protected constructor({ name, maxQueue, onUnobserved }: EngineSettings, Broken: BrokenClass) {
    super();
    this.#Broken = Broken;
    this.unobserved = new UnobservedFailures(name, onUnobserved);
    this.queueLimit = new QueueLimit(maxQueue, () => this.waiting, () => !this.closing && !this.broken);
  }

  /** How many calls run at the same time at most. */
  abstract readonly maxWorkers: number;
  /** Whether the result of a call can be a stream. */
  readonly hasStreams: boolean = false;
  readonly keepsChunks: boolean = false;
  abstract stats(): Stats;
  abstract end(how: "terminate" | "kill"): void;
  /** How many calls wait, as `maxQueue` counts them. */
  protected abstract get waiting(): number;
  /** Calls were withdrawn: others may have their turn now. */
  protected abstract onSlotFreed(): void;
  /** Why its calls cannot be waited for without the event loop; `undefined` if they can. */
  get refusesToBlock(): string | undefined {
    return "this executor needs the event loop: await the Future";
  }

  /** Closes the engine if it was shut down and nothing is left to do. */
  protected abstract closeIfDone(): void;

  protected override get canRun(): boolean {
    return !this.broken && !this.cancelling;
  }

  /**
   * Queues calls. Calls that nobody will run, or wants any more, are settled instead: they would wait for ever.
   *
   * @param entry A call, or a supply of calls.
   * @returns Whether it is queued now; if not, each of its calls has been settled.
   */
  protected enqueue(entry: QueueEntry<Call>): boolean {
    if (this.canRun && entry.wanted) {
      this.queue.push(entry);
      return true;
    }
    if (entry instanceof Call) this.turnAway(entry);
    else while (entry.size > 0) this.turnAway(entry.draw());
    return false;
  }

  /**
   * Queues calls that a worker was handed and has not begun, before all others of their priority. As in {@linkcode enqueue},
   * calls that nobody will run or wants are settled. Callbacks of the first may cancel the others, so all are queued before;
   * calls that nobody wants have no callbacks.
   *
   * @param calls The calls, the youngest first.
   */
  protected requeue(calls: readonly Call[]): void {
    // Its signal has aborted while its worker was about to begin it, which has not happened.
    const aborted: Call[] = [];
    for (const call of calls) {
      call.progress?.timer?.clear(); // its time limit has not started
      if (call.progress?.aborted) aborted.push(call);
      else if (call.wanted) this.queue.unshift(call);
      else this.turnAway(call);
    }
    eachInOneGo(aborted, (call) => this.cancel(call, call.progress!.aborted!.reason));
    if (!this.canRun) eachInOneGo(this.#takeWaiting(), (call) => this.turnAway(call));
  }

  /** Settles a call that is not queued. */
  protected turnAway(call: Call): void {
    if (this.broken) this.reject(call, this.brokenError(), "broken");
    else this.cancel(call, new CancelledError());
  }

  /**
   * Throws unless the executor takes calls.
   *
   * @throws {BrokenExecutor} when the executor is broken, even after shutdown (X2).
   * @throws {ShutdownError} when it has been shut down, or the program is exiting.
   */
  assertOpen(): void {
    if (this.broken) throw this.brokenError();
    if (this.closing) throw new ShutdownError();
    if (isExiting()) throw new ShutdownError("cannot schedule new futures after program shutdown");
  }

  /** Lets the signal of a submitted call stop it. False when it has aborted already, and the call is cancelled. */
  protected watch(call: Call): boolean {
    const { settings } = call.progress!;
    const { aborted } = settings;
    if (aborted) {
      this.cancel(call, aborted.reason);
      return false;
    }
    settings.watch(call);
    return true;
  }

  withdraw(call: Call): boolean {
    if (!this.takeBack(call)) return false;
    this.onWithdrawn(call);
    this.onSlotFreed();
    return true;
  }

  /** Takes a call from the queue, or from its worker; false when that has begun it. It is not settled yet. */
  protected takeBack(call: Call): boolean {
    if (call.queue) call.queue.remove(call);
    else if (!this.wake(call) && !call.worker?.withdraw(call)) return false;
    return true;
  }

  withdrawAll(supply: QueueEntry<Call>): void {
    this.settled.cancelled += supply.size;
    this.queue.remove(supply);
    this.onSlotFreed();
  }

  abort(call: Call, reason: unknown): void {
    if (this.withdraw(call)) call.cancel(reason);
    else this.abortBegun(call, reason);
  }

  endCall(call: Call, reason: unknown): void {
    if (this.withdraw(call)) call.cancel(reason);
    else if (call.worker) this.stop(call, () => this.cancel(call, reason));
  }

  shutdown(cancelFutures: boolean): Promise<void> {
    this.closing = true;
    const { promise } = this.#closed ??= deferred();
    if (cancelFutures) {
      this.cancelling = true;
      this.cancelWaiting();
    }
    this.queueLimit.wake();
    this.closeIfDone();
    return promise;
  }

  /** Cancels every queued call. */
  protected cancelWaiting(): void {
    eachInOneGo(this.#takeWaiting(), (call) => this.cancel(call, new CancelledError()));
  }

  /** Stops running calls: each queued one fails, with an error of its own. */
  protected break(message: string, cause: unknown): void {
    this.broken ??= { message, cause };
    eachInOneGo(this.#takeWaiting(), (call) => this.reject(call, this.brokenError(), "broken"));
    this.queueLimit.wake();
  }

  protected brokenError(): BrokenExecutor {
    return new this.#Broken(this.broken!.message, { cause: this.broken!.cause });
  }

  /** Resolves what shutdown() has returned, once, after the code that runs at the moment. */
  protected close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    atTickEnd(() => {
      this.unobserved.report();
      this.#closed?.resolve();
    });
  }

  /** Takes the queued calls one by one, and those that pause before a retry. */
  *#takeWaiting(): Generator<Call> {
    for (let call = this.queue.shift(); call; call = this.queue.shift()) yield call;
    yield* this.wakeAll();
  }
}
