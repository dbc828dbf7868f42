// One call on its way: made by submit() or map(), queued, handed to a worker, answered.

import type { CallQueue, Queued } from "./call_queue.ts";
import { bindCall, type CallControl, cancelFuture, type FailureLedger, Future, settleFuture } from "./future.ts";
import type { Task } from "./task_table.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** One call; a subclass says who gets the answer. */
export abstract class Call implements CallControl, Queued {
  readonly task: Task;
  /** The arguments; dropped when the call is answered. */
  args: readonly unknown[];
  queue: CallQueue<Queued> | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  /** The worker that has it, and its number there. */
  worker: WorkerHandle | undefined = undefined;
  number = 0;
  /** Calls of one chunk are handed over together. */
  readonly chunk: object | undefined;

  constructor(task: Task, args: readonly unknown[], chunk?: object) {
    this.task = task;
    this.args = args;
    this.chunk = chunk;
  }

  /** Its task has returned. */
  abstract fulfil(value: unknown): void;
  /** Its task has thrown, or it could not be run. */
  abstract reject(reason: unknown): void;
  /** It was withdrawn, and will not run. */
  abstract cancel(reason: unknown): void;

  withdraw(): boolean {
    if (this.queue) this.queue.remove(this);
    else if (!this.worker?.withdraw(this)) return false;
    this.task.table.cancelled++;
    return true;
  }

  begun(): boolean {
    return this.worker !== undefined && this.worker.begun(this);
  }
}

/** A call whose answer goes to a Future. */
export class SubmittedCall<T> extends Call {
  readonly future: Future<T> = new Future<T>();

  constructor(task: Task, args: readonly unknown[], ledger: FailureLedger) {
    super(task, args);
    bindCall(this.future, this, ledger);
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
