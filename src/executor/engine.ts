// What every engine does with calls, whatever runs them: takes them in, takes them back, breaks and closes.

import { isExiting } from "../runtime.ts";
import type { Backend } from "../pool/backend.ts";
import { Call, type Waiting } from "./call.ts";
import { CallQueue } from "./call_queue.ts";
import { type Closure, closure } from "../future/deferred.ts";
import type { Core } from "./core.ts";
import { type BrokenExecutor, CancelledError, ShutdownError } from "../future/errors.ts";
import { Guard } from "./guard.ts";
import { Room } from "./queue_limit.ts";
import type { ExecutorStats } from "./stats.ts";
import { Supervisor } from "./call_lifecycle.ts";
import type { TaskTable } from "./task_table.ts";
import { Unobserved, type UnobservedHandler } from "../future/unobserved.ts";

/** The options that every engine has. */
interface EngineSettings {
  readonly name: string;
  readonly maxQueue: number;
  readonly onUnobserved: UnobservedHandler | undefined;
}

/** How the executor broke. */
interface Break {
  readonly message: string;
  readonly cause: unknown;
}

/** Runs calls; a subclass says on what. */
export abstract class Engine implements Core {
  abstract readonly tasks: TaskTable;
  readonly guard: Guard | undefined = Guard.here();
  readonly unobserved: Unobserved;
  readonly room: Room;
  /** Calls that wait here. */
  protected readonly queue: CallQueue<Waiting> = new CallQueue<Waiting>();
  protected readonly supervisor: Supervisor;
  protected broken: Break | undefined = undefined;
  protected closing = false;
  /** Everything that waits is cancelled, and whatever would wait again. */
  protected cancelling = false;
  readonly #Broken: Backend["Broken"];
  #closed: Closure | undefined = undefined;
  #isOver = false;

  protected constructor({ name, maxQueue, onUnobserved }: EngineSettings, Broken: Backend["Broken"]) {
    this.#Broken = Broken;
    this.unobserved = new Unobserved(name, onUnobserved);
    this.room = new Room(maxQueue, () => this.waiting, () => !this.closing && !this.broken);
    this.supervisor = new Supervisor({
      canRun: () => this.canRun,
      requeue: (call) => this.submit(call),
      stop: (call, settle) => this.stop(call, settle),
    });
  }

  /** Takes calls that were admitted, or one that is run again. */
  abstract submit(waiting: Call | Waiting): void;
  abstract stats(): ExecutorStats;
  abstract end(how: "terminate" | "kill"): void;
  /** How many calls wait, as `maxQueue` counts them. */
  protected abstract get waiting(): number;
  /** Ends what runs a call and takes the call from it, then settles it. */
  protected abstract stop(call: Call, settle: () => void): void;
  /** Calls were taken back: others may have their turn now. */
  protected abstract moveUp(): void;
  /** Shut down or broken, and perhaps nothing left to do. */
  protected abstract wind(): void;

  /** Whether a call that waits will have its turn. */
  protected get canRun(): boolean {
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
  protected enqueue(entry: Call | Waiting, again = false): boolean {
    if (again && entry instanceof Call) entry.limits?.timer?.clear(); // its time has not begun
    if (this.canRun && entry.wanted) {
      if (again) this.queue.unshift(entry);
      else this.queue.push(entry);
      return true;
    }
    if (entry instanceof Call) this.#turnAway(entry);
    else while (entry.waiting > 0) this.#turnAway(entry.draw());
    return false;
  }

  #turnAway(call: Call): void {
    if (this.broken) this.supervisor.reject(call, this.brokenError(), "final");
    else this.supervisor.cancel(call, new CancelledError());
  }

  admit(): void {
    if (this.broken) throw this.brokenError();
    if (this.closing) throw new ShutdownError();
    if (isExiting()) throw new ShutdownError("cannot schedule new futures after program shutdown");
  }

  /** Watches the signal of a call that was submitted. False when it has aborted already, and the call is cancelled. */
  protected watch(call: Call): boolean {
    const { settings } = call.limits!;
    if (settings.signal?.aborted) {
      this.supervisor.cancel(call, settings.signal.reason);
      return false;
    }
    settings.watch(call);
    return true;
  }

  withdraw(call: Call): boolean {
    if (call.queue) call.queue.remove(call);
    else if (!this.supervisor.wake(call) && !call.worker?.withdraw(call)) return false;
    this.supervisor.withdrawn(call);
    this.moveUp();
    return true;
  }

  withdrawAll(supply: Waiting): void {
    this.supervisor.cancelled += supply.waiting;
    this.queue.remove(supply);
    this.moveUp();
  }

  abort(call: Call, reason: unknown): void {
    if (this.withdraw(call)) call.cancel(reason);
    else this.supervisor.abort(call, reason);
  }

  shutdown(cancelFutures: boolean): Promise<void> {
    this.closing = true;
    const { promise } = this.#closed ??= closure();
    if (cancelFutures) {
      this.cancelling = true;
      this.cancelWaiting();
    }
    this.room.wake();
    this.wind();
    return promise;
  }

  /** Cancels every call that waits. */
  protected cancelWaiting(): void {
    for (const call of this.#takeWaiting()) this.supervisor.cancel(call, new CancelledError());
  }

  /** Nothing can run any more: each call that waits fails, with an error of its own. */
  protected break(message: string, cause: unknown): void {
    this.broken ??= { message, cause };
    for (const call of this.#takeWaiting()) this.supervisor.reject(call, this.brokenError(), "final");
    this.room.wake();
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
    yield* this.supervisor.wakeAll();
  }
}
