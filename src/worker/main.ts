// The worker's loop, the same in threads and processes: it receives calls, runs them in order, one at a time, and answers.

import { setCurrentTask } from "../task/current.ts";
import type { CurrentTask } from "../task/running_task.ts";
import { CallReader } from "../wire/calls.ts";
import type { ParentPort } from "../wire/channel.ts";
import type { WorkerClaims } from "../wire/claims.ts";
import { type Failure, fromFailure } from "../wire/failure.ts";
import type { TaskRef, ToWorker } from "../wire/messages.ts";
import { nextTurn } from "../wire/turn.ts";
import type { AnyFunction } from "./inline_task.ts";
import { type LoadedTask, LoadedTasks } from "./resolve_task.ts";
import { failureOf, Replies, SLICE } from "./replies.ts";
import { openClaims } from "./open_claims.ts";
import { Reports } from "./reports.ts";
import { StreamRun } from "./stream.ts";
import { isThenable } from "./thenable.ts";

type Run = Omit<Extract<ToWorker, { kind: "run" }>, "kind">;
type Init = Extract<ToWorker, { kind: "init" }>;

/**
 * Serves the parent for as long as the worker lives.
 *
 * @param port The worker's end of the line.
 * @param announce Gets what tells the task that runs, which is all that runs in a worker.
 */
export function serve(port: ParentPort, announce: typeof setCurrentTask = setCurrentTask): void {
  new WorkerLoop(port).open(announce);
}

class WorkerLoop {
  readonly #port: ParentPort;
  readonly #tasks: LoadedTasks;
  readonly #replies: Replies;
  readonly #reports: Reports;
  /** Messages with calls, of which none has begun. */
  readonly #inbox: Run[] = [];
  /** The message whose calls are being run, and where in it the loop is. */
  #message: Run | undefined;
  readonly #reader = new CallReader();
  #claims: WorkerClaims | undefined;
  /** What its tasks can know of it. */
  #worker = { workerName: "", workerIndex: 0 };
  #finalizer: TaskRef | undefined;
  #busy = false;
  /** It has said goodbye: its calls run elsewhere, so it begins none of them. */
  #leaving = false;
  /** The number of the call that follows. */
  #next = 0;
  /** The task of the call that runs. */
  #task: LoadedTask | undefined;
  /** Whether an executor in this worker can tell that the call that runs is a task (wire/place.ts). */
  #followed = false;
  /** What the task that runs can know of itself: made when it asks, which few do. */
  #current: CurrentTask | undefined;
  #controller: AbortController | undefined;
  /** The stream of the call that runs, if it is one. */
  #stream: StreamRun | undefined;
  /** When the event loop came round for the last time, as far as is known. */
  #turn = 0;

  constructor(port: ParentPort) {
    this.#port = port;
    this.#tasks = new LoadedTasks(port.place);
    this.#replies = new Replies(port);
    this.#reports = new Reports(port);
  }

  open(announce: typeof setCurrentTask): void {
    const { place } = this.#port;
    place.served = true;
    announce(() => this.#busy ? this.#describeCurrent() : undefined);
    // The task that runs may be the one that imports an executor, which could follow it only from the next call on.
    place.runsUnfollowed = () => this.#busy && !this.#followed && place.loading === undefined;
    place.onRefusal = (error) => {
      this.#port.excuse(error);
      this.#tasks.forgetExports();
    };
    this.#port.receive((message) => this.#onMessage(message), () => this.#finalizer && this.#finalize(this.#finalizer));
  }

  #onMessage(message: ToWorker): void {
    if (message.kind === undefined) {
      this.#run({ tasks: undefined, calls: message, exact: false, attempt: undefined });
    } else if (message.kind === "run") {
      if (message.tasks) this.#tasks.add(message.tasks);
      this.#run(message);
    } else if (message.kind === "recall") {
      this.#recall();
    } else if (message.kind === "abort") {
      this.#abort(message);
    } else if (message.kind === "init") {
      this.#initialize(message);
    } else if (message.kind === "more" || message.kind === "items") {
      const stream = this.#stream;
      if (stream?.call !== message.call) return; // it has just ended
      if (message.kind === "more") stream.more(message.count);
      else stream.items(message);
    }
  }

  #initialize(init: Init): void {
    this.#worker = { workerName: init.name, workerIndex: init.index };
    this.#finalizer = init.finalizer;
    if (!init.inlineTasks) this.#tasks.refuseInline();
    if (init.memoryLimit !== undefined) this.#replies.limitMemory(init.memoryLimit * 2 ** 20);
    if (!init.initializer) this.#port.send({ kind: "ready" });
    // After "ready", as what follows: opening a page can take milliseconds, while the parent reads that.
    this.#claims = openClaims(init.claims, this.#port);
    // Before the initializer, which may end the worker.
    this.#port.beforeEnd((exitCode, uncaught) => this.#end(exitCode, uncaught));
    if (init.initializer) void this.#runInitializer(init.initializer);
  }

  async #runInitializer({ task, args }: NonNullable<Init["initializer"]>): Promise<void> {
    const failure = await this.#runAlone(task, args);
    if (failure) return this.#port.send({ kind: "unready", failure });
    this.#busy = false;
    this.#port.send({ kind: "ready" });
  }

  /** The worker is asked to end: runs the finalizer. It never rejects, and runs once. */
  async #finalize(task: TaskRef): Promise<void> {
    this.#finalizer = undefined;
    this.#port.send({ kind: "finalized", failure: await this.#runAlone(task, []) });
  }

  /** Runs what is no call; returns what it has thrown. The worker stays busy. */
  async #runAlone(task: TaskRef, args: readonly unknown[]): Promise<Failure | undefined> {
    this.#busy = true;
    this.#current = this.#controller = undefined;
    try {
      const fn = await this.#tasks.resolve(task);
      await this.#enter(() => fn(...args));
    } catch (error) {
      return failureOf(error, task, this.#port);
    }
  }

  #run(message: Run): void {
    this.#inbox.push(message);
    if (this.#busy) return;
    this.#busy = true;
    const now = this.#turn = performance.now();
    this.#replies.start(now);
    this.#enter(this.#runCalls);
  }

  /** Runs calls until there are none, or one returns a promise. */
  readonly #runCalls = (): void => {
    const reader = this.#reader, tasks = this.#tasks, replies = this.#replies, claims = this.#claims;
    while (!this.#leaving && (reader.next() || this.#nextMessage())) {
      const { exact, attempt, reports, stream } = this.#message!;
      const number = this.#next++;
      const task = this.#task = tasks.byNumber[reader.task];
      const mayTakeLong = exact || (task !== undefined && task.short < task.trusted);
      if (mayTakeLong) replies.part();
      // Without a task, the call was withdrawn before it was sent; without a claim, after that.
      if (!task || (claims && !claims.begin(number, mayTakeLong ? undefined : reader))) {
        replies.skip(task !== undefined);
        continue;
      }
      if (attempt !== undefined || (exact && !claims)) this.#port.send({ kind: "begun", call: number });
      if (reports) this.#reports.begin(number);
      let returned: unknown;
      try {
        const fn = task.fn ?? tasks.load(task, stream !== undefined);
        this.#current = this.#controller = undefined;
        if (stream) returned = this.#streamOf(fn, new StreamRun(this.#port, number, stream));
        else if (typeof fn !== "function") returned = this.#callLoaded(fn, reader.takeAll());
        else if (reader.arity === 1) returned = fn(reader.take());
        else if (reader.arity === 2) returned = fn(reader.take(), reader.take());
        else returned = fn(...reader.takeAll());
      } catch (error) {
        if (reports) this.#reports.end();
        replies.fail(error, task.ref);
        if (this.#pauseAt(replies.look(task))) return;
        continue;
      }
      if (isThenable(returned)) return this.#resumeAfter(returned, task);
      if (reports) this.#reports.end();
      if (replies.add(returned) && this.#pauseAt(replies.look(task))) return;
    }
    claims?.pause();
    replies.flush();
    this.#busy = false;
  };

  /** Calls a function that is still being loaded. */
  async #callLoaded(loading: Promise<AnyFunction>, args: unknown[]): Promise<unknown> {
    const fn = await loading;
    return this.#enter(() => fn(...args));
  }

  /** Runs a call that yields; whether its task has ended by itself. */
  async #streamOf(fn: AnyFunction | Promise<AnyFunction>, stream: StreamRun): Promise<boolean> {
    const args = stream.fill(this.#reader.takeAll());
    this.#stream = stream;
    try {
      const loaded = typeof fn === "function" ? fn : await fn;
      void this.#enter(() => stream.run(() => loaded(...args)));
      return await stream.outcome;
    } finally {
      this.#stream = undefined;
      stream.end();
    }
  }

  /** Goes on when a promise has settled. The worker waits: what it has finished is sent meanwhile. */
  #resumeAfter(returned: unknown, task: LoadedTask): void {
    this.#claims?.pause();
    this.#replies.flushSoon();
    // By a promise of its own, as `then` may do anything: throw, call back twice, or with another thenable.
    Promise.resolve(returned).then(
      (value) => this.#resume(value, task, false),
      (error) => this.#resume(error, task, true),
    );
  }

  /** Goes on with the outcome of a call; `failed`: its promise was rejected. */
  #resume(value: unknown, task: LoadedTask, failed: boolean): void {
    this.#reports.end();
    if (failed) this.#replies.fail(value, task.ref);
    else this.#replies.add(value);
    if (!this.#pauseAt(this.#replies.look(task))) this.#enter(this.#runCalls);
  }

  /** Goes on to the first call of the next message; false when there is none. */
  #nextMessage(): boolean {
    for (;;) {
      const message = this.#inbox.shift();
      if (!message) {
        this.#reader.drop();
        return false;
      }
      this.#message = message;
      this.#reader.read(message.calls);
      if (this.#reader.next()) return true;
    }
  }

  /**
   * Lets the event loop come round when it has not for a while: without claims, the parent withdraws calls by messages, and
   * in this thread it could not do anything.
   *
   * @returns Whether the loop goes on after that, so that the caller stops.
   */
  #pauseAt(now: number): boolean {
    this.#claims?.look(now);
    if ((this.#claims && !this.#port.sharesThread) || now - this.#turn < SLICE) return false;
    nextTurn(() => {
      this.#turn = performance.now();
      this.#enter(this.#runCalls);
    });
    return true;
  }

  /** Runs a call, or what follows it, so that an executor can tell that it belongs to a task. */
  #enter<T>(fn: () => T): T {
    this.#followed = this.#port.place.follow !== undefined;
    return this.#asTask(fn);
  }

  #asTask<T>(fn: () => T): T {
    const { place } = this.#port;
    return place.follow && !place.inTask() ? place.follow(true, fn) : fn();
  }

  #describeCurrent(): CurrentTask {
    const { signal } = this.#controller ??= new AbortController();
    const call = this.#next - 1;
    return this.#current ??= {
      signal,
      ...this.#worker,
      attempt: this.#message?.attempt ?? 1,
      report: (value) => this.#reports.add(call, value),
    };
  }

  #abort({ call, reason }: Extract<ToWorker, { kind: "abort" }>): void {
    if (!this.#busy || call !== this.#next - 1) return;
    const thrown = fromFailure(reason, new Map());
    this.#asTask(() => {
      (this.#controller ??= new AbortController()).abort(thrown);
      this.#stream?.leave(thrown);
    });
  }

  /** Gives back the calls that have not begun. Only workers without claims are asked to. */
  #recall(): void {
    this.#inbox.length = 0;
    this.#reader.drop();
    this.#port.send({ kind: "recalled", first: this.#next });
  }

  /** The worker ends by its own will: its finished results still leave. */
  #end(exitCode: number, uncaught = false): void {
    this.#leaving = !uncaught;
    try {
      this.#reports.flush();
      const refused = uncaught ? undefined : this.#refusedModule();
      if (refused) this.#replies.fail(refused, this.#task!.ref);
      this.#replies.flush();
      this.#port.send({ kind: "bye", exitCode, unbegun: this.#next, uncaught });
    } catch {
      // The line is closed: the parent has ended this worker, and knows.
    }
  }

  /** Why the module of the task that runs was refused, which is why it ends the worker: `main().catch(() => exit(1))`. */
  #refusedModule(): Error | undefined {
    const ref = this.#task?.ref;
    return this.#busy && ref?.kind === "export" ? this.#port.place.refused.get(ref.module) : undefined;
  }
}
