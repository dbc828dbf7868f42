// One call on its way: submit() or map() makes it, an engine queues it, hands it to a worker and settles it.

import type { CallSettings } from "./call_options.ts";
import type { CallQueue, QueueEntry } from "./call_queue.ts";
import { bindCall, type CallControl, cancelFuture, Future, settleFuture } from "../future/future.ts";
import type { FailureSink } from "./scope.ts";
import type { TaskRecord } from "./task_table.ts";
import { report } from "../report.ts";
import type { OutgoingCall } from "../wire/calls.ts";
import type { StreamNews, StreamOrder, ToWorker } from "../wire/messages.ts";
import type { Timer } from "../future/timer.ts";
import type { UnobservedFailures } from "../future/unobserved.ts";

/** How long a call of a task is expected to take, in milliseconds; Infinity if that is unknown, or the last one was long. */
export function expectedCost({ cost, proven }: TaskRecord): number {
  return proven > 0 ? cost : Infinity;
}

/** How far a call of Executor.with() has come: its attempts, and what may end it before its task does. */
export class CallProgress {
  readonly settings: CallSettings;
  /** 1 for the first run. */
  attempt = 1;
  /** Why it has to stop: its signal has aborted while it ran. */
  aborted: { readonly reason: unknown } | undefined;
  /** When its time is up, by `performance.now()`. */
  deadline = Infinity;
  /** Its time limit, its grace, or its pause before a retry: it has one at a time. */
  timer: Timer | undefined;

  constructor(settings: CallSettings) {
    this.settings = settings;
  }
}

/** What a call asks of the engine that runs it. */
export interface CallEngine {
  /** The failures that nobody has looked at. */
  readonly unobserved: UnobservedFailures;
  /** Why its calls cannot be waited for without the event loop; `undefined` if they can. */
  readonly refusesToBlock: string | undefined;
  /** Whether the calls of a chunk stay together even if they may be stopped or run again. */
  readonly keepsChunks: boolean;
  /** Withdraws a call, for its owner to cancel; false when a worker has begun it. */
  withdraw(call: Call): boolean;
  /** The signal of a call has aborted. */
  abort(call: Call, reason: unknown): void;
  /** Cancels a call, together with its worker if it has begun. */
  endCall(call: Call, reason: unknown): void;
}

/** What is told to the worker of a stream, which the holder of its call adds the number of. */
export type StreamOrders =
  | Omit<Extract<ToWorker, { kind: "more" }>, "call">
  | Omit<
    Extract<ToWorker, { kind: "items" }>,
    "call"
  >;

/** What holds a call that was handed over: a worker. */
export interface CallHolder {
  /** Withdraws the call; false when it has begun, or nobody can know. */
  withdraw(call: Call): boolean;
  /** Whether the call has begun, or nobody can know. */
  begun(call: Call): boolean;
  /** Tells the call's task to stop. */
  abort(call: Call, reason: unknown): void;
  /**
   * Tells the worker something about the stream of a call. Workers without streams have no such method.
   *
   * @throws {DOMException} a DataCloneError, when a value cannot cross.
   */
  tell?(call: Call, order: StreamOrders, transfer?: Transferable[]): void;
  /** The call, which it has alone, waits for the program: that alone does not keep the program alive. */
  rest?(call: Call): void;
  /** Somebody waits for what the worker sends next, where that pays. */
  expect?(): void;
  /**
   * Asks the worker for the calls that it has not begun, where only it can know.
   *
   * @param chunks Whether to ask for the rest of a chunk, too.
   */
  recall?(chunks: boolean): void;
}

/** One call; a subclass says where its result goes. */
export abstract class Call implements CallControl, OutgoingCall, QueueEntry<Call> {
  readonly engine: CallEngine;
  readonly task: TaskRecord;
  /** The arguments; dropped when the call is done. */
  args: readonly unknown[];
  readonly progress: CallProgress | undefined;
  queue: CallQueue<Call> | undefined = undefined;
  before: QueueEntry<Call> | undefined = undefined;
  after: QueueEntry<Call> | undefined = undefined;
  /** The worker that holds it, until it is settled or queued again, and its number there. */
  worker: CallHolder | undefined = undefined;
  number = 0;
  /** Its place in the order in which calls were handed over, for the way back into the queue. */
  turn = 0;

  constructor(engine: CallEngine, task: TaskRecord, args: readonly unknown[], settings: CallSettings | undefined) {
    this.engine = engine;
    this.task = task;
    this.args = args;
    this.progress = settings && new CallProgress(settings);
  }

  /** Its task has returned. */
  abstract fulfil(value: unknown): void;
  /** Its task has thrown, or it could not be run. */
  abstract reject(reason: unknown): void;
  /** It was withdrawn, and will not run. */
  abstract cancel(reason: unknown): void;
  /** The Future that who listens to its reports gets; `undefined` when nobody may hear more. */
  protected abstract get reporting(): Future<unknown> | undefined;

  /** Its worker says something of its stream; false when that cannot be. */
  hear(_news: StreamNews): boolean {
    return false;
  }

  /** The group of a call throws its failure, unless somebody observes it. */
  get unobserved(): FailureSink {
    return this.progress?.settings.scope?.failures ?? this.engine.unobserved;
  }

  get refusesToBlock(): string | undefined {
    return this.engine.refusesToBlock;
  }

  get size(): number {
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
    return this.progress === undefined ? 0 : this.progress.settings.priority;
  }

  /** Infinity, too, for a call that may be stopped, or belongs to a chunk: it does not share its worker. */
  get cost(): number {
    return this.progress?.settings.limited || this.chunk ? Infinity : expectedCost(this.task);
  }

  /** The attempt, if the call may be stopped or run again: then it has a message of its own. */
  get attempt(): number | undefined {
    return this.progress?.settings.limited ? this.progress.attempt : undefined;
  }

  /** Whether somebody listens to what its task reports. */
  get reports(): boolean {
    return this.progress?.settings.onReport !== undefined;
  }

  /** Its task has reported something. */
  report(value: unknown): void {
    const { onReport } = this.progress!.settings, future = this.reporting;
    if (!future) return;
    try {
      const returned = onReport!(value, future);
      if (returned instanceof Promise) returned.catch((error) => report("Exception calling", "onReport", error));
    } catch (error) {
      report("Exception calling", "onReport", error);
    }
  }

  /** What its worker is told of its stream, if it has one. */
  get stream(): StreamOrder | undefined {
    return undefined;
  }

  withdraw(): boolean {
    return this.engine.withdraw(this);
  }

  /** Its signal has aborted. */
  abort(reason: unknown): void {
    this.engine.abort(this, reason);
  }

  /** Cancels it, together with its worker if it has begun. */
  end(reason: unknown): void {
    this.engine.endCall(this, reason);
  }

  begun(): boolean {
    return this.worker !== undefined && this.worker.begun(this);
  }
}

/** A call of submit(): its result goes to a Future. */
export class SubmittedCall<T> extends Call {
  readonly future: Future<T> = new Future<T>();

  constructor(engine: CallEngine, task: TaskRecord, args: readonly unknown[], settings: CallSettings | undefined) {
    super(engine, task, args, settings);
    bindCall(this.future, this);
  }

  protected get reporting(): Future<unknown> | undefined {
    return this.future.done() ? undefined : this.future;
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
