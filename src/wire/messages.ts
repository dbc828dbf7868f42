// Every message between the scheduler and a worker: two closed unions on `kind`, which the usual messages have not.
//
// Calls, and answers, that nothing more has to be said about are flat arrays. Against objects with an array in them, a round
// trip to a thread takes 14 % less of the processor's time on Node 24, 13 % on Deno 2.9 and 48 % on Bun 1.4.
//
// Calls are numbered per worker, 0, 1, 2, ... in the order in which they are handed over, run and answered; a message
// names the number of its first call, the others follow. A task travels once per worker, then its number does.

import { CALLS_PER_WORKER } from "./claims.ts";
import { type Failure, isFailure } from "./failure.ts";
import type { TaskRef } from "./task_ref.ts";

/** From the scheduler to a worker. */
export type ToWorker =
  /** Always the first: who the worker is, and what to run before anything else. */
  | {
    readonly kind: "init";
    readonly name: string;
    readonly claims: SharedArrayBuffer | undefined;
    /** Memory that it may use, in MiB. */
    readonly memoryLimit: number | undefined;
    /** Whether it evaluates sources; once it does not, it never does. */
    readonly inlineTasks: boolean;
    readonly initializer: { readonly task: TaskRef; readonly args: readonly unknown[] } | undefined;
  }
  | Calls
  /**
   * Calls with something more to say. `tasks`: those which the worker does not know yet.
   * `exact`: the results so far leave before each of these calls begins, and a process says that it begins.
   * `attempt`: this is one call, which may be aborted; threads say that it begins, too.
   */
  | {
    readonly kind: "run";
    readonly tasks: readonly (readonly [number, TaskRef])[] | undefined;
    readonly calls: Calls;
    readonly exact: boolean;
    readonly attempt: number | undefined;
  }
  /** The signal of this call has aborted. */
  | { readonly kind: "abort"; readonly call: number; readonly reason: Failure }
  /** End, in order. The channels say it, never the scheduler. */
  | { readonly kind: "stop" }
  /** Give back the calls that have not begun. */
  | { readonly kind: "recall" };

/** Calls to run, in order: groups of `task number, arguments per call, calls, ...arguments`. */
export type Calls = unknown[] & { readonly kind?: undefined };

/** A worker's answers to calls that it was sent. */
export type Done = Extract<FromWorker, { kind: "done" }>;

/** From a worker to the scheduler. */
export type FromWorker =
  /** The worker is up, its initializer has run. */
  | { readonly kind: "ready" }
  /** The initializer failed. */
  | { readonly kind: "unready"; readonly failure: Failure }
  /** This call begins; said of what `exact` and `attempt` ask for. */
  | { readonly kind: "begun"; readonly call: number }
  | Answers
  /**
   * Answers with something more to say. `failures` holds pairs of an index into `results` and what was thrown there;
   * `full`: the worker uses more memory than it may, and should take no more calls.
   */
  | {
    readonly kind: "done";
    readonly first: number;
    readonly results: readonly unknown[];
    readonly failures: readonly (number | Failure)[] | undefined;
    readonly spent: number;
    readonly full: boolean;
  }
  /** It was asked to end, and only waits for its output to be read. The channels say it. */
  | { readonly kind: "draining" }
  /** The answer to its oldest call has come, and cannot be read. A thread's channel says it, never the worker. */
  | { readonly kind: "unread" }
  /** The calls from `first` on were recalled and will not run. */
  | { readonly kind: "recalled"; readonly first: number }
  /**
   * The worker ends by its own will; of its calls, it has not begun those from `unbegun` on, and never will. `uncaught`: it
   * may end, by an error that its channel will tell; nothing that came before that error comes after this.
   */
  | { readonly kind: "bye"; readonly exitCode: number; readonly unbegun: number; readonly uncaught: boolean };

/**
 * The results of the calls `first`, `first + 1`, ...; those of withdrawn calls are holes to step over. `spent` is how long
 * they ran, in whole microseconds: a fraction would make the array one of fractions, each of which takes eight bytes.
 */
export type Answers = readonly [first: number, spent: number, ...results: unknown[]] & { readonly kind?: undefined };

/** Of so many answers, the object around them costs nothing, but a copy of them does: 5 % of a burst on Node 24. */
const MANY = 32;

/** The message of some answers. */
export function toAnswers(done: Done): Done | Answers {
  if (done.failures || done.full || done.results.length > MANY) return done;
  return [done.first, done.spent, ...done.results];
}

/** A message from a worker, answers with nothing more to say included. */
export type Said = Exclude<FromWorker, Answers>;

/**
 * Reads what came from a worker. It is data from another program: kinds and lengths are checked before anything touches it,
 * and nothing in it is called.
 *
 * @param received Anything that a channel delivers.
 * @returns The message; `undefined` when it is not exactly one.
 */
export function readFromWorker(received: unknown): Said | undefined {
  if (Array.isArray(received)) return readAnswers(received);
  if (typeof received !== "object" || received === null) return undefined;
  // Nothing of it is called: what is no data of its own is not there.
  const field = (name: string): unknown => Object.getOwnPropertyDescriptor(received, name)?.value;
  const kind = field("kind");
  switch (kind) {
    case "ready":
    case "unread":
      return { kind };
    case "done":
      return readDone(field);
    case "begun": {
      const call = field("call");
      return isCount(call) ? { kind, call } : undefined;
    }
    case "recalled": {
      const first = field("first");
      return isCount(first) ? { kind, first } : undefined;
    }
    case "unready": {
      const failure = field("failure");
      return isFailure(failure) ? { kind, failure } : undefined;
    }
    case "bye": {
      const exitCode = field("exitCode"), unbegun = field("unbegun"), uncaught = field("uncaught");
      if (!Number.isSafeInteger(exitCode) || !isCount(unbegun) || typeof uncaught !== "boolean") return undefined;
      return { kind, exitCode: exitCode as number, unbegun, uncaught };
    }
    default:
      return undefined;
  }
}

/** Answers as if there was more to say. */
function readAnswers(answers: readonly unknown[]): Done | undefined {
  const count = answers.length - 2;
  if (count < 0 || count > CALLS_PER_WORKER) return undefined;
  const [first, spent] = answers;
  if (!isCount(first) || !isTime(spent)) return undefined;
  return { kind: "done", first, results: answers.slice(2), failures: undefined, spent, full: false };
}

function readDone(field: (name: string) => unknown): Done | undefined {
  const first = field("first"), results = field("results"), failures = field("failures");
  const spent = field("spent"), full = field("full");
  if (!isCount(first) || !isTime(spent) || typeof full !== "boolean") return undefined;
  if (!Array.isArray(results) || results.length > CALLS_PER_WORKER) return undefined;
  if (failures !== undefined && !areFailures(failures, results.length)) return undefined;
  return { kind: "done", first, results, failures, spent, full };
}

/** Whether these are pairs of an index and a failure, the indices in order. */
function areFailures(failures: unknown, results: number): failures is (number | Failure)[] {
  if (!Array.isArray(failures) || failures.length > results * 2 || failures.length % 2 !== 0) return false;
  let last = -1;
  for (let i = 0; i < failures.length; i += 2) {
    const index = failures[i];
    if (!isCount(index) || index <= last || index >= results || !isFailure(failures[i + 1])) return false;
    last = index;
  }
  return true;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}
