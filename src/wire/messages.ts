// Every message between the scheduler and a worker: two closed unions on `kind`, which the usual messages have not.
//
// Calls, and answers, that nothing more has to be said about are flat arrays. Against objects with an array in them, a round
// trip to a thread takes 14 % less of the processor's time on Node 24, 13 % on Deno 2.9 and 48 % on Bun 1.4.
//
// Calls are numbered per worker, 0, 1, 2, ... in the order in which they are handed over, run and answered; a message
// names the number of its first call, the others follow. A task travels once per worker, then its number does.

import type { Failure } from "./failure.ts";
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
  /** End, in order. The channels of processes and of Deno's threads say it, never the scheduler. */
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
  /** The calls from `first` on were recalled and will not run. */
  | { readonly kind: "recalled"; readonly first: number }
  /**
   * The worker ends by its own will. `uncaught`: it may end, by an error that its channel will tell; nothing that came
   * before that error comes after this.
   */
  | { readonly kind: "bye"; readonly exitCode: number; readonly uncaught?: boolean };

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

/** Answers as if there was more to say. */
export function fromAnswers(answers: Answers): Done {
  const [first, spent] = answers;
  return { kind: "done", first, results: answers.slice(2), failures: undefined, spent, full: false };
}
