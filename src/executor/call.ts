// One call on its way: made by submit() or map(), queued, handed to a worker, answered.

import type { CallSettings } from "./call_options.ts";
import type { CallQueue, Queued } from "./call_queue.ts";
import {
  bindCall,
  type CallControl,
  cancelFuture,
  type FailureLedger,
  Future,
  settleFuture,
} from "../future/future.ts";
import type { Task } from "./task_table.ts";
import type { Timer } from "../future/timer.ts";

/** From this cost on, in milliseconds, a call is long: no other waits behind it, and a process says that it begins it. */
const LONG = 4;

/** How long a call of a task is expected to take, in milliseconds; Infinity when that is long, or unknown. */
export function expectedCost({ cost }: Task): number {
  return cost < LONG ? cost : Infinity;
}

/** What a call of Executor.with() needs besides. */
export class Limits {
  readonly settings: CallSettings;
  /** 1 for the first run. */
  attempt = 1;
  /** Its signal has aborted while it ran. */
  aborted: { readonly reason: unknown } | undefined;
  /** When its time is up, by `performance.now()`. */
  deadline = Infinity;
  /** Its time limit, its grace, or its pause before a retry: it has one at a time. */
  timer: Timer | undefined;

  constructor(settings: CallSettings) {
    this.settings = settings;
  }
}

/** What waits in the queue: a call, or a supply of calls. */
export interface Waiting extends Queued {
  readonly task: Task;
  /** How long its next call is expected to take, in milliseconds; Infinity for one that has its worker alone. */
  readonly cost: number;
  /** Calls of one chunk are handed over together, to a worker that has nothing else to do. */
  readonly chunk: object | undefined;
  /** Whether anybody still needs its results: if not, it does not wait for another turn, and is cancelled instead. */
  readonly wanted: boolean;
  draw(): Call;
}

/** What takes calls: the scheduler. */
export interface CallOwner {
  /** The failures that nobody has looked at. */
  readonly unobserved: FailureLedger;
  /** Takes a call back that no worker has begun, for its owner to cancel; false when it is too late. */
  withdraw(call: Call): boolean;
  /** The signal of a call has aborted. */
  abort(call: Call, reason: unknown): void;
}

/** What holds a call that was handed over: a worker. */
export interface CallHolder {
  /** Takes it back; false when it has begun, or nobody can know. */
  withdraw(call: Call): boolean;
  /** Whether it has begun, or nobody can know. */
  begun(call: Call): boolean;
  /** Tells its task to stop. */
  abort(call: Call, reason: unknown): void;
  /** Asks for what has not begun, where only the worker can know. */
  recall?(chunks: boolean): void;
}

/** One call; a subclass says who gets the answer. */
export abstract class Call implements CallControl, Waiting {
  readonly task: Task;
  /** The arguments; dropped when the call is done. */
  args: readonly unknown[];
  readonly limits: Limits | undefined;
  queue: CallQueue<Queued> | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  /** The worker that has it, until it is settled or waits again, and its number there. */
  worker: CallHolder | undefined = undefined;
  number = 0;

  constructor(task: Task, args: readonly unknown[], settings: CallSettings | undefined) {
    this.task = task;
    this.args = args;
    this.limits = settings && new Limits(settings);
  }

  /** Its task has returned. */
  abstract fulfil(value: unknown): void;
  /** Its task has thrown, or it could not be run. */
  abstract reject(reason: unknown): void;
  /** It was withdrawn, and will not run. */
  abstract cancel(reason: unknown): void;

  get ledger(): FailureLedger {
    return this.task.owner.unobserved;
  }

  get waiting(): number {
    return 1;
  }

  draw(): this {
    return this;
  }

  get chunk(): object | undefined {
    return undefined;
  }

  get wanted(): boolean {
    return true;
  }

  get priority(): number {
    return this.limits === undefined ? 0 : this.limits.settings.priority;
  }

  /** What may be stopped, or must stay together, has its worker alone, too. */
  get cost(): number {
    return this.limits?.settings.limited || this.chunk ? Infinity : expectedCost(this.task);
  }

  withdraw(): boolean {
    return this.task.owner.withdraw(this);
  }

  /** Its signal has aborted. */
  abort(reason: unknown): void {
    this.task.owner.abort(this, reason);
  }

  begun(): boolean {
    return this.worker !== undefined && this.worker.begun(this);
  }
}

/** A call whose answer goes to a Future. */
export class SubmittedCall<T> extends Call {
  readonly future: Future<T> = new Future<T>();

  constructor(task: Task, args: readonly unknown[], settings: CallSettings | undefined) {
    super(task, args, settings);
    bindCall(this.future, this);
  }

  fulfil(value: unknown): void {
    settleFuture(this.future, "fulfilled", value);
  }

  reject(reason: unknown): void {
    settleFuture(this.future, "rejected", reason);
  }

  cancel(reason: unknown): void {
    cancelFuture(this.future, reason);
  }
}
