// What every engine does with calls, whatever runs them: takes them in, takes them back, breaks and closes.

import { isExiting } from "../runtime.ts";
import { Call, type CallEngine } from "./call.ts";
import { CallQueue, type QueueEntry } from "./call_queue.ts";
import { type Deferred, deferred } from "../future/deferred.ts";
import { type BrokenExecutor, CancelledError, ShutdownError } from "../future/errors.ts";
import { Guard } from "./guard.ts";
import { QueueLimit } from "./queue_limit.ts";
import type { ExecutorStats } from "./stats.ts";
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
export abstract class Engine extends CallLifecycle implements CallEngine {
  abstract readonly tasks: TaskTable;
  readonly guard: Guard | undefined = Guard.here();
  readonly unobserved: UnobservedFailures;
  readonly queueLimit: QueueLimit;
  /** Calls that wait here. */
  protected readonly queue: CallQueue<Call> = new CallQueue<Call>();
  protected broken: Break | undefined = undefined;
  protected closing = false;
  /** Everything that waits is cancelled, and whatever would wait again. */
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

  abstract stats(): ExecutorStats;
  abstract end(how: "terminate" | "kill"): void;
  /** How many calls wait, as `maxQueue` counts them. */
  protected abstract get waiting(): number;
  /** Calls were taken back: others may have their turn now. */
  protected abstract onSlotFreed(): void;
  /** Shut down or broken, and perhaps nothing left to do. */
  protected abstract closeIfDone(): void;

  /** Whether a call that waits will have its turn. */
  protected override get canRun(): boolean {
    return !this.broken && !this.cancelling;
  }

  /**
   * The one way into the queue. Nothing enters that of an engine that cannot run it: it would wait for ever. Nor does what
   * nobody wants any more.
   *
   * @param entry A call, or a supply of calls.
   * @param again Whether it waited before, and comes before all others of its priority.
   * @returns Whether it waits now; if not, each of its calls has been settled.
   */
  protected enqueue(entry: QueueEntry<Call>, again = false): boolean {
    if (again && entry instanceof Call) entry.progress?.timer?.clear(); // its time has not begun
    if (this.canRun && entry.wanted) {
      if (again) this.queue.unshift(entry);
      else this.queue.push(entry);
      return true;
    }
    if (entry instanceof Call) this.#turnAway(entry);
    else while (entry.size > 0) this.#turnAway(entry.draw());
    return false;
  }

  #turnAway(call: Call): void {
    if (this.broken) this.reject(call, this.brokenError(), "final");
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

  /** Watches the signal of a call that was submitted. False when it has aborted already, and the call is cancelled. */
  protected watch(call: Call): boolean {
    const { settings } = call.progress!;
    if (settings.signal?.aborted) {
      this.cancel(call, settings.signal.reason);
      return false;
    }
    settings.watch(call);
    return true;
  }

  withdraw(call: Call): boolean {
    if (call.queue) call.queue.remove(call);
    else if (!this.wake(call) && !call.worker?.withdraw(call)) return false;
    this.onWithdrawn(call);
    this.onSlotFreed();
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

  /** Cancels every call that waits. */
  protected cancelWaiting(): void {
    for (const call of this.#takeWaiting()) this.cancel(call, new CancelledError());
  }

  /** Nothing can run any more: each call that waits fails, with an error of its own. */
  protected break(message: string, cause: unknown): void {
    this.broken ??= { message, cause };
    for (const call of this.#takeWaiting()) this.reject(call, this.brokenError(), "final");
    this.queueLimit.wake();
  }

  protected brokenError(): BrokenExecutor {
    return new this.#Broken(this.broken!.message, { cause: this.broken!.cause });
  }

  /** Everything is over: whoever has shut it down is told, once, when the code that found it out has ended. */
  protected close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    queueMicrotask(() => {
      this.unobserved.report();
      this.#closed?.resolve();
    });
  }

  *#takeWaiting(): Generator<Call> {
    for (let call = this.queue.shift(); call; call = this.queue.shift()) yield call;
    yield* this.wakeAll();
  }
}
