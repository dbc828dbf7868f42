// The worker's loop, the same in threads and processes: receive calls, run them in order, one at a time, answer.

import { begin } from "../wire/claims.ts";
import type { Open, ParentChannel } from "../wire/channel.ts";
import { type Failure, fromFailure, toFailure } from "../wire/failure.ts";
import { type Done, toAnswers, type ToWorker } from "../wire/messages.ts";
import { isInline, type TaskRef } from "../wire/task_ref.ts";
import { transfersOf } from "../wire/marks.ts";
import type { Place } from "../wire/place.ts";
import { type CurrentTask, setCurrentTask } from "../task/current.ts";
import { explain } from "./explain.ts";
import { resolveTask } from "./resolve_task.ts";

type Run = Omit<Extract<ToWorker, { kind: "run" }>, "kind">;
type Init = Extract<ToWorker, { kind: "init" }>;

/** What differs between the kinds of worker. */
export interface Side {
  /** What is known of it to what runs in it. */
  readonly place: Place;
  /** Opens the line to the parent. */
  readonly open: Open;
  /** Copies a value as the line would, or throws when it cannot cross. */
  readonly clone: (value: unknown) => unknown;
  /** How many bytes of memory this worker uses. */
  readonly memory: () => number;
  /** Lets an error that nobody catches not end the worker. */
  readonly excuse: (error: unknown) => void;
  /** Has `fn` called when the worker is about to end by its own will; `uncaught`: it may end, by an error. */
  readonly beforeEnd: (fn: (exitCode: number, uncaught?: boolean) => void) => void;
}

/** A task's function, or how to get it. */
interface Task {
  readonly ref: TaskRef;
  // deno-lint-ignore no-explicit-any
  fn: ((...args: any[]) => unknown) | undefined;
}

/**
 * How long results may wait for company before they are sent, in milliseconds: the latency that batching costs. Less than
 * half of what the worker is handed ahead, so that it has the rest to do until more has come (scheduler.ts).
 */
const SLICE = 8;

/** The clock is read after every so many short calls: it costs 86 ns on Deno 2.9, 25 on Node 24, 4 on Bun 1.4. */
const CALLS_PER_LOOK = 4;

/** From how long on, in milliseconds, the clock is read after each: its cost is nothing to them. */
const WORTH_A_LOOK = 0.05;

/** How often the memory is looked at, in milliseconds: it costs some 30 µs. */
const MEMORY_INTERVAL = 20;

declare function setImmediate(fn: () => void): unknown;

/**
 * Serves the parent for as long as the worker lives.
 *
 * @param side The worker's end of the line.
 */
export function serve(side: Side): void {
  const { place } = side;
  const parent: ParentChannel = side.open(onMessage);
  const tasks: (Task | undefined)[] = [];
  const inbox: Run[] = [];
  let claims: Int32Array | undefined;
  let workerName = "";
  let inlineTasks = true;
  let busy = false;
  /** It has said goodbye: no call is begun any more, as they run elsewhere. */
  let leaving = false;
  // Made when the task asks for it, which few do.
  let current: CurrentTask | undefined, controller: AbortController | undefined;
  setCurrentTask(() => {
    if (!busy) return undefined;
    const { signal } = controller ??= new AbortController();
    return current ??= { signal, workerName, attempt: inbox[0]?.attempt ?? 1 };
  });

  // Whether what runs is followed (wire/place.ts): a call may be what brings in that which follows.
  let followed = false;
  place.runsUnfollowed = () => busy && !followed && place.loading === undefined;
  place.onRefusal = (error) => {
    side.excuse(error);
    for (const task of tasks) if (task?.ref.kind === "export") task.fn = undefined;
  };

  // Where in the inbox's first message we are.
  let position = 0, left = 0, arity = 0, task: Task | undefined;
  let call = 0;
  // The answers that are not sent yet, and since when they are being worked on.
  let first = 0, results: unknown[] = [], failures: (number | Failure)[] | undefined, since = 0;
  let flushArmed = false;
  // The clock: calls until it is looked at again, and what it said.
  let untilLook = 1, looked = 0;
  // When the event loop came round the last time, as far as is known.
  let turn = 0;
  // Without a limit, no time to look ever comes.
  let memoryLimit = Infinity, nextLook = Infinity, full = false;

  function onMessage(message: ToWorker): void {
    if (message.kind === undefined) {
      run({ tasks: undefined, calls: message, exact: false, attempt: undefined });
    } else if (message.kind === "run") {
      for (const [number, ref] of message.tasks ?? []) tasks[number] = { ref, fn: undefined };
      run(message);
    } else if (message.kind === "recall") {
      recall();
    } else if (message.kind === "abort") {
      if (busy && message.call === call - 1) {
        const { reason } = message;
        ofTask(() => (controller ??= new AbortController()).abort(fromFailure(reason, new Map())));
      }
    } else if (message.kind === "init") {
      initialize(message);
    }
  }

  function run(message: Run): void {
    inbox.push(message);
    if (busy) return;
    busy = true;
    since = turn = performance.now();
    enter(pump);
  }

  /** Begins to run what belongs to tasks. */
  function enter<T>(fn: () => T): T {
    followed = place.follow !== undefined;
    return ofTask(fn);
  }

  function ofTask<T>(fn: () => T): T {
    return place.follow && !place.inTask() ? place.follow(true, fn) : fn();
  }

  function initialize(init: Init): void {
    workerName = init.name;
    inlineTasks &&= init.inlineTasks;
    if (init.memoryLimit !== undefined) {
      memoryLimit = init.memoryLimit * 2 ** 20;
      nextLook = 0;
    }
    if (init.claims) claims = new Int32Array(init.claims);
    if (!init.initializer) parent.send({ kind: "ready" });
    // Not before: while the parent reads that, this costs nothing. Then tasks may run, which may end the worker.
    side.beforeEnd(end);
    if (init.initializer) void runInitializer(init.initializer);
  }

  async function runInitializer({ task, args }: NonNullable<Init["initializer"]>): Promise<void> {
    busy = true;
    try {
      const fn = await resolve(task);
      await enter(() => fn(...args));
    } catch (error) {
      return parent.send({ kind: "unready", failure: failureOf(error, task) });
    }
    busy = false;
    parent.send({ kind: "ready" });
  }

  /** Runs calls until there are none, or one has to be waited for. */
  function pump(): void {
    while (!leaving && (left > 0 || nextGroup())) {
      const { calls, exact, attempt } = inbox[0]!;
      const at = position;
      position += arity;
      left--;
      const number = call++;
      if (exact) flush();
      // No task: the parent could not send this call. No claim: it has taken the call back.
      if (!task || (claims && !begin(claims, number))) {
        results.push(undefined);
        continue;
      }
      if (attempt !== undefined || (exact && !claims)) parent.send({ kind: "begun", call: number });
      let returned: unknown;
      try {
        const fn = task.fn ?? find(task);
        current = controller = undefined;
        if (typeof fn === "function") {
          if (arity === 1) returned = fn(take(calls, at));
          else if (arity === 2) returned = fn(take(calls, at), take(calls, at + 1));
          else returned = fn(...takeAll(calls, at, arity));
        } else {
          const args = takeAll(calls, at, arity);
          returned = fn.then((fn) => enter(() => fn(...args)));
        }
      } catch (error) {
        fail(error);
        if (look()) return;
        continue;
      }
      if (isThenable(returned)) {
        if (results.length > 0) armFlush();
        // Through a promise, whatever `then` does: it may throw, or call back twice, or with another thenable.
        Promise.resolve(returned).then((value) => resume(value, false), (error) => resume(error, true));
        return;
      }
      answer(returned);
      if (--untilLook <= 0 && look()) return;
    }
    flush();
    busy = false;
  }

  /**
   * Looks at the clock: whether it is time to send what is there, and when to look again. Without claim words the parent
   * takes calls back by asking, so the event loop has to come round.
   *
   * @returns Whether the loop goes on when it has: the caller does not.
   */
  function look(): boolean {
    const now = performance.now();
    untilLook = now - looked > WORTH_A_LOOK ? 1 : CALLS_PER_LOOK;
    looked = now;
    if (now - since > SLICE) flush();
    if (claims || now - turn < SLICE) return false;
    setImmediate(() => {
      turn = performance.now();
      enter(pump);
    });
    return true;
  }

  function resume(value: unknown, failed: boolean): void {
    if (failed) fail(value);
    else answer(value);
    if (!look()) enter(pump);
  }

  /** Goes on to the next group of calls; false when there is none. */
  function nextGroup(): boolean {
    for (;;) {
      const message = inbox[0];
      if (!message) return false;
      if (position < message.calls.length) {
        task = tasks[message.calls[position] as number];
        arity = message.calls[position + 1] as number;
        left = message.calls[position + 2] as number;
        position += 3;
        return true;
      }
      inbox.shift();
      position = 0;
    }
  }

  function find(wanted: Task): NonNullable<Task["fn"]> | Promise<NonNullable<Task["fn"]>> {
    const found = resolve(wanted.ref);
    if (typeof found === "function") return wanted.fn = found;
    return found.then((fn) => wanted.fn = fn);
  }

  /** The parent has asked the same; whoever else can send messages here has not. */
  function resolve(ref: TaskRef): NonNullable<Task["fn"]> | Promise<NonNullable<Task["fn"]>> {
    if (!inlineTasks && isInline(ref)) {
      throw new TypeError("Cannot run an inline task as inline tasks are switched off");
    }
    return resolveTask(ref, place);
  }

  function answer(result: unknown): void {
    if (typeof result !== "object" || result === null) return void results.push(result);
    // By itself: it may be unreadable for the parent, and Deno (2.9) moves what there is to move even when another value
    // cannot be cloned. And as it is now: the next call may change it, if it is one that the task keeps.
    flush();
    results.push(result);
    flush();
  }

  function fail(thrown: unknown): void {
    (failures ??= []).push(results.length, failureOf(thrown, task!.ref));
    answer(undefined);
    flush();
  }

  function failureOf(thrown: unknown, ref: TaskRef): Failure {
    try {
      if (ref.kind === "source") thrown = explain(thrown, ref.source);
    } catch {
      // Its message is not to be changed, or not even to be read: it is sent as it is.
    }
    return toFailure(thrown, side.clone);
  }

  /** A call is being waited for: finished ones do not wait for it, unless it ends within this turn. */
  function armFlush(): void {
    if (flushArmed) return;
    flushArmed = true;
    setImmediate(() => {
      flushArmed = false;
      flush();
    });
  }

  function flush(): void {
    if (results.length === 0) return;
    const now = performance.now();
    const spent = Math.round((now - since) * 1000);
    const message: Done = { kind: "done", first, results, failures, spent, full: isFull(now) };
    first += results.length;
    results = [];
    failures = undefined;
    since = now;
    // What is moved is the last.
    const transfer = transfersOf(message.results.at(-1));
    try {
      parent.send(toAnswers(message), transfer?.slice());
    } catch {
      for (let i = 0; i < message.results.length; i++) sendAlone(message, i);
    }
  }

  /** Whether the worker uses more memory than it may; looked at now and then. */
  function isFull(now: number): boolean {
    if (now < nextLook) return full;
    nextLook = now + MEMORY_INTERVAL;
    return full = side.memory() > memoryLimit;
  }

  /** A reply always goes out: a result that cannot cross is a failure, and its neighbours are not harmed. */
  function sendAlone({ first, results, failures, spent, full }: Done, index: number): void {
    const result = results[index];
    const found = failures?.indexOf(index) ?? -1;
    const answer = {
      kind: "done",
      first: first + index,
      results: [result],
      failures: found < 0 ? undefined : [0, failures![found + 1]!],
      spent: spent / results.length,
      full,
    } as const;
    try {
      parent.send(answer, transfersOf(result)?.slice());
    } catch (error) {
      parent.send({ ...answer, results: [undefined], failures: [0, toFailure(error, side.clone)] });
    }
  }

  /** Gives back what has not begun. Only the scheduler of processes asks; threads' calls it can take by itself. */
  function recall(): void {
    const [running] = inbox;
    inbox.length = left = position = 0;
    if (busy) inbox.push({ ...running!, calls: [] });
    parent.send({ kind: "recalled", first: call });
  }

  /** The worker ends by its own will: what is finished still goes out. */
  function end(exitCode: number, uncaught = false): void {
    leaving = !uncaught;
    try {
      // What a module was refused is why the worker ends: `main().catch(() => process.exit(1))`.
      const refused = busy && !uncaught && task?.ref.kind === "export" && place.refused.get(task.ref.module);
      if (refused) fail(refused);
      flush();
      parent.send({ kind: "bye", exitCode, unbegun: call, uncaught });
    } catch {
      // The line is closed: the parent has ended this worker, and knows.
    }
  }
}

// A message keeps no argument that its task has got: what the task drops can be collected (T8).
function take(calls: unknown[], at: number): unknown {
  const arg = calls[at];
  calls[at] = undefined;
  return arg;
}

function takeAll(calls: unknown[], at: number, count: number): unknown[] {
  const args = calls.slice(at, at + count);
  calls.fill(undefined, at, at + count);
  return args;
}

function isThenable(value: unknown): boolean {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  try {
    return typeof (value as PromiseLike<unknown>).then === "function";
  } catch {
    return true; // reading it throws, and so it does when a promise reads it
  }
}
