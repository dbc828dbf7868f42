// One call on its way: made by submit() or map(), queued, handed to a worker, answered.

import type { CallSettings } from "./call_options.ts";
import type { CallQueue, Queued } from "./call_queue.ts";
import { bindCall, type CallControl, cancelFuture, Future, settleFuture } from "./future.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Task } from "./task_table.ts";
import type { Timer } from "./timer.ts";
import type { WorkerHandle } from "./worker_handle.ts";

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

/** One call; a subclass says who gets the answer. */
export abstract class Call implements CallControl, Queued {
  readonly scheduler: Scheduler;
  readonly task: Task;
  /** The arguments; dropped when the call is done. */
  args: readonly unknown[];
  readonly limits: Limits | undefined;
  queue: CallQueue<Queued> | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  /** The worker that has it, and its number there. */
  worker: WorkerHandle | undefined = undefined;
  number = 0;

  constructor(scheduler: Scheduler, task: Task, args: readonly unknown[], settings: CallSettings | undefined) {
    this.scheduler = scheduler;
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

  /** Calls of one chunk are handed over together. */
  get chunk(): object | undefined {
    return undefined;
  }

  get priority(): number {
    return this.limits === undefined ? 0 : this.limits.settings.priority;
  }

  /** How long it is expected to take, in milliseconds; one that may be stopped has its worker for itself. */
  get cost(): number {
    return this.limits?.settings.limited ? Infinity : this.task.cost;
  }

  withdraw(): boolean {
    return this.scheduler.withdraw(this);
  }

  begun(): boolean {
    return this.worker !== undefined && this.worker.begun(this);
  }
}

/** A call whose answer goes to a Future. */
export class SubmittedCall<T> extends Call {
  readonly future: Future<T> = new Future<T>();

  constructor(scheduler: Scheduler, task: Task, args: readonly unknown[], settings: CallSettings | undefined) {
    super(scheduler, task, args, settings);
    bindCall(this.future, this, scheduler.unobserved);
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
