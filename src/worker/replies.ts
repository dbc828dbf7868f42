// The results that a worker has not sent yet. They wait for each other, as one message for many calls is cheaper, but not
// for long.

import type { ParentPort } from "../wire/channel.ts";
import { type Failure, toFailure } from "../wire/failure.ts";
import { transfersOf } from "../wire/marks.ts";
import { type Done, type TaskRef, toAnswers } from "../wire/messages.ts";
import { nextTurn } from "../wire/turn.ts";
import { type LoadedTask, TRUSTED } from "./resolve_task.ts";
import { explain } from "./inline_task.ts";

/**
 * How long a result may wait for others before it is sent, in milliseconds: the latency that batching costs. Less than half
 * of what a worker is handed ahead (pool/dispatcher.ts), so that it has calls to run until the parent has sent more.
 */
export const SLICE = 8;

/** How many short calls run between two looks at the clock, which takes 86 ns on Deno 2.9, 25 on Node 24, 4 on Bun 1.4. */
const CALLS_PER_LOOK = 4;

/** A call that takes as long as this, in milliseconds, is followed by a look at the clock, which is cheap against it. */
const WORTH_A_LOOK = 0.05;

/** How many calls of a task have to be short, at most, until results wait while the next one runs, see {@linkcode TRUSTED}. */
const MOST_TRUSTED = 512;

/** After so many times as many short calls, a long one counts as the first of its task. */
const LONG_MEMORY = 16;

/**
 * Time between two looks at the memory, in milliseconds. A look takes some 30 µs. A task may take 1.5 MiB more in each
 * millisecond (Deno 2.9): with 20 ms between the looks, one out of two workers with 256 MiB met the end of its heap first.
 */
const MEMORY_INTERVAL = 5;

/** Collects the results of calls, in the order of the calls, and sends them. */
export class Replies {
  readonly #port: ParentPort;
  /** The call of the first result that is not sent. */
  #first = 0;
  #results: unknown[] = [];
  /** Pairs of an index into the results and what was thrown there. */
  #failures: (number | Failure)[] | undefined;
  /** The indices of calls that were found withdrawn. */
  #skipped: number[] | undefined;
  /** When the worker began to work on these results. */
  #since = 0;
  #flushesSoon = false;
  /** Calls until the next look at the clock, and what it said at the last one. */
  #untilLook = 1;
  #looked = 0;
  /** Calls between the last look and the next. */
  #step = 1;
  #memoryLimit = Infinity;
  /** When to look at the memory again; never without a limit. */
  #nextMemoryLook = Infinity;
  #full = false;

  constructor(port: ParentPort) {
    this.#port = port;
  }

  /** Sets how many bytes the worker may use before it says that it is full. */
  limitMemory(bytes: number): void {
    this.#memoryLimit = bytes;
    this.#nextMemoryLook = 0;
  }

  /** The worker begins to run calls, after it had none. */
  start(now: number): void {
    this.#since = this.#looked = now;
    this.#untilLook = this.#step = 1;
  }

  /**
   * Adds a call that does not run: it has an empty result.
   *
   * @param isWithdrawn Whether it was found withdrawn, and not empty already when it was sent.
   */
  skip(isWithdrawn: boolean): void {
    if (isWithdrawn) (this.#skipped ??= []).push(this.#results.length);
    this.#results.push(undefined);
  }

  /**
   * Adds the result of a call.
   *
   * @returns Whether it is time to {@linkcode look} at the clock.
   */
  add(result: unknown): boolean {
    if (typeof result !== "object" || result === null) this.#results.push(result);
    else this.#addObject(result);
    return --this.#untilLook <= 0;
  }

  #addObject(result: object): void {
    // An object is sent by itself: it may be unreadable for the parent, and Deno (2.9) moves buffers even when another value
    // of the message cannot be cloned. And it is sent now: the task may have kept it, and change it in the next call.
    this.flush();
    this.#results.push(result);
    this.flush();
  }

  /** Adds what a call has thrown, and sends it. */
  fail(thrown: unknown, ref: TaskRef): void {
    (this.#failures ??= []).push(this.#results.length, failureOf(thrown, ref, this.#port));
    this.#results.push(undefined);
    this.flush();
  }

  /** The next call may take long: what is finished leaves first, and there is a look at the clock after that call. */
  part(): void {
    this.flush();
    this.#untilLook = this.#step = 1;
  }

  /**
   * Looks at the clock, and sends the results if they have waited long enough.
   *
   * @param task The task of the last call.
   * @returns What the clock says.
   */
  look(task: LoadedTask): number {
    const now = performance.now(), took = now - this.#looked;
    if (took > SLICE) doubt(task);
    else task.short += this.#step;
    this.#untilLook = this.#step = took > WORTH_A_LOOK ? 1 : CALLS_PER_LOOK;
    this.#looked = now;
    if (now - this.#since > SLICE) this.flush();
    return now;
  }

  /** Sends the results when this turn of the event loop ends, as the worker waits for a call that may take long. */
  flushSoon(): void {
    if (this.#flushesSoon || this.#results.length === 0) return;
    this.#flushesSoon = true;
    nextTurn(() => {
      this.#flushesSoon = false;
      this.flush();
    });
  }

  /** Sends the results. */
  flush(): void {
    const results = this.#results;
    if (results.length === 0) return;
    const now = performance.now();
    const spent = Math.round((now - this.#since) * 1000);
    const done: Done = {
      kind: "done",
      first: this.#first,
      results,
      failures: this.#failures,
      ...(this.#skipped && { skipped: this.#skipped }),
      spent,
      full: this.#isFull(now),
    };
    this.#first += results.length;
    this.#results = [];
    this.#failures = this.#skipped = undefined;
    this.#since = now;
    // An object is always the last result, so nothing is moved with the others.
    const transfer = transfersOf(results.at(-1));
    try {
      this.#port.send(toAnswers(done), transfer?.slice());
    } catch {
      for (let i = 0; i < results.length; i++) this.#sendAlone(done, i);
    }
  }

  /** Whether the worker uses more memory than it may. */
  #isFull(now: number): boolean {
    if (now < this.#nextMemoryLook) return this.#full;
    this.#nextMemoryLook = now + MEMORY_INTERVAL;
    return this.#full = this.#port.memory() > this.#memoryLimit;
  }

  /** A reply always goes out: a result that cannot cross becomes a failure, and its neighbours arrive. */
  #sendAlone({ first, results, failures, skipped, spent, full }: Done, index: number): void {
    const result = results[index];
    const found = failures?.indexOf(index) ?? -1;
    const done = {
      kind: "done",
      first: first + index,
      results: [result],
      failures: found < 0 ? undefined : [0, failures![found + 1]!],
      ...(skipped?.includes(index) && { skipped: [0] }),
      spent: spent / results.length,
      full,
    } as const;
    try {
      this.#port.send(done, transfersOf(result)?.slice());
    } catch (error) {
      this.#port.send({ ...done, results: [undefined], failures: [0, toFailure(error, this.#port.clone)] });
    }
  }
}

/**
 * A call was long. Where one in `trusted` is, a message for each of the others costs little against it; where they are rare,
 * as when the worker was not let onto a core, few messages are sent for it.
 */
function doubt(task: LoadedTask): void {
  const isRare = task.short > LONG_MEMORY * task.trusted;
  task.trusted = isRare ? TRUSTED : Math.min(task.trusted * 2, MOST_TRUSTED);
  task.short = 0;
}

/**
 * Describes what a task has thrown, for the parent.
 *
 * @param thrown Anything.
 * @param ref The task. What an inline one throws is explained.
 * @param port The line that it will cross.
 */
export function failureOf(thrown: unknown, ref: TaskRef, port: ParentPort): Failure {
  try {
    if (ref.kind === "source") thrown = explain(thrown, ref.source);
  } catch {
    // Its message cannot be read or changed: it is sent as it is.
  }
  return toFailure(thrown, port.clone);
}
