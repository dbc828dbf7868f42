// Every message between the scheduler and a worker: two closed unions on `kind`.
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
  /**
   * Calls to run, in order: groups of `task number, arguments per call, calls, ...arguments` in one flat array.
   * `exact`: the results so far leave before each of these calls begins, and a process says that it begins.
   * `attempt`: this is one call, which may be aborted; threads say that it begins, too.
   */
  | {
    readonly kind: "run";
    readonly first: number;
    readonly tasks: readonly (readonly [number, TaskRef])[] | undefined;
    readonly calls: unknown[];
    readonly exact: boolean;
    readonly attempt: number | undefined;
  }
  /** The signal of this call has aborted. */
  | { readonly kind: "abort"; readonly call: number; readonly reason: Failure }
  /** End, in order. The channels of processes and of Deno's threads say it, never the scheduler. */
  | { readonly kind: "stop" }
  /** Give back the calls that have not begun. */
  | { readonly kind: "recall" };

/** From a worker to the scheduler. */
export type FromWorker =
  /** The worker is up, its initializer has run. */
  | { readonly kind: "ready" }
  /** The initializer failed. */
  | { readonly kind: "unready"; readonly failure: Failure }
  /** This call begins; said of what `exact` and `attempt` ask for. */
  | { readonly kind: "begun"; readonly call: number }
  /**
   * Answers to the calls `first`, `first + 1`, ...; those of withdrawn calls are holes to step over. `failures` holds
   * pairs of an index into `results` and what was thrown there. `spent` is how long they ran, in milliseconds;
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
