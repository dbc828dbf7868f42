// Every message between the scheduler and a worker: a closed union for each direction, told apart by `kind`. The two common
// messages, plain calls and plain answers, are arrays without a `kind`: with them instead of objects with an array inside, a
// round trip to a thread takes 14 % less of the processor's time on Node 24, 13 % on Deno 2.9 and 48 % on Bun 1.4.
//
// Calls are numbered per worker, 0, 1, 2, ... in the order in which they are handed over, run and answered; a message has the
// number of its first call, the others follow. A task is sent to a worker once, then only its number is.

import { CALLS_PER_WORKER, type SharedClaims } from "./claims.ts";
import { type Failure, isFailure } from "./failure.ts";
import { ownValue } from "./parts.ts";

/** A task on the wire: a function by its source, or the export of a module. */
export type TaskRef =
  | { readonly kind: "source"; readonly source: string }
  | {
    readonly kind: "export";
    readonly module: string;
    /** The name of the function; empty when a build tool has left it none. */
    readonly name: string;
    /** Whether the program has given it this name. */
    readonly named?: boolean | undefined;
    /** The function was the `number`-th of `of` that its module gave to task(); absent without task(). */
    readonly number?: number | undefined;
    readonly of?: number | undefined;
    /** The name of the module where it may have another URL. */
    readonly registered?: string | undefined;
  };

/** The `code` of the error when a module does not export the task that it was asked for. */
export const TASK_NOT_FOUND = "ERR_TASK_NOT_FOUND";

/** The `code` of the error when the module of a task fails to load. */
export const MODULE_NOT_LOADED = "ERR_TASK_MODULE_NOT_LOADED";

/** Whether a task carries its own source: that of a function, or in the URL of a module (`data:`, `blob:`). */
export function isInline(ref: TaskRef): boolean {
  if (ref.kind !== "export") return true;
  return !URL.canParse(ref.module) || /^(data|blob):$/.test(new URL(ref.module).protocol);
}

/** From the scheduler to a worker. */
export type ToWorker =
  /** Always the first message: the worker's name and limits, and what it runs before anything else. */
  | {
    readonly kind: "init";
    readonly name: string;
    /** The worker's number among those that there are, see CurrentTask. */
    readonly index: number;
    readonly claims: SharedClaims | undefined;
    /** Memory that the worker may use, in MiB. */
    readonly memoryLimit: number | undefined;
    /** Whether the worker runs inline tasks; once it was told not to, it never does. */
    readonly inlineTasks: boolean;
    readonly initializer: { readonly task: TaskRef; readonly args: readonly unknown[] } | undefined;
    /** What it runs last, before it ends in order; absent without one. */
    readonly finalizer?: TaskRef | undefined;
  }
  | Calls
  /**
   * Calls that need more than their arguments. `tasks`: those that the worker does not know yet.
   * `exact`: earlier results leave before each of these calls begins, and a worker without claims reports that it begins.
   * `attempt`: the message has one call, which may be aborted; every worker reports that it begins.
   * `reports`: somebody listens to what their tasks report.
   * `stream`: that call has many results, which are yielded.
   */
  | {
    readonly kind: "run";
    readonly tasks: readonly (readonly [number, TaskRef])[] | undefined;
    readonly calls: Calls;
    readonly exact: boolean;
    readonly attempt: number | undefined;
    readonly reports?: true | undefined;
    readonly stream?: StreamOrder | undefined;
  }
  /** The stream of this call may yield so many values more. */
  | { readonly kind: "more"; readonly call: number; readonly count: number }
  /** Items of an input of a stream. `ended`: they are the last ones. `failure`: what the input has thrown after them. */
  | {
    readonly kind: "items";
    readonly call: number;
    readonly input: number;
    readonly values: readonly unknown[];
    readonly ended: boolean;
    readonly failure?: Failure | undefined;
  }
  /** The signal of this call has aborted, or nobody reads its stream any more. */
  | { readonly kind: "abort"; readonly call: number; readonly reason: Failure }
  /** End in order, after the finalizer. The channels send it, never the scheduler. */
  | { readonly kind: "stop" }
  /** End now: sent to a thread that its runtime cannot stop from outside. The channels send it, too. */
  | { readonly kind: "end" }
  /** Give back the calls that have not begun. */
  | { readonly kind: "recall" };

/** What a worker has to know of a call whose result is a stream. */
export interface StreamOrder {
  /** How many values it may yield until it is told that it may yield more. */
  readonly buffersize: number;
  /** The indices of arguments that are async iterables of the program: it pulls their items. */
  readonly inputs: readonly number[];
}

/** Calls to run, in order: groups of `task number, arguments per call, calls, ...arguments` (calls.ts). */
export type Calls = unknown[] & { readonly kind?: undefined };

/** The results of calls, with everything that can be said of them. */
export type Done = Extract<FromWorker, { kind: "done" }>;

/** From a worker to the scheduler. */
export type FromWorker =
  /** The worker is up, and its initializer has run. */
  | { readonly kind: "ready" }
  /** The initializer failed. */
  | { readonly kind: "unready"; readonly failure: Failure }
  /** The finalizer has run, or failed; the worker is about to end. */
  | { readonly kind: "finalized"; readonly failure: Failure | undefined }
  /** This call begins: sent for calls with `exact` or `attempt`. */
  | { readonly kind: "begun"; readonly call: number }
  /** What the task of a call has reported: only of calls that were sent with `reports`, before their answer. */
  | { readonly kind: "reports"; readonly call: number; readonly values: readonly unknown[] }
  /** Values of a stream. */
  | { readonly kind: "yields"; readonly call: number; readonly values: readonly unknown[] }
  /** An input of a stream should give so many items more. */
  | { readonly kind: "pull"; readonly call: number; readonly input: number; readonly count: number }
  /** The task has left an input of its stream. */
  | { readonly kind: "closed"; readonly call: number; readonly input: number }
  | Answers
  /**
   * Answers that need more than results. `failures`: pairs of an index into `results` and what was thrown there.
   * `skipped`: the indices of calls that the worker did not run, as it found them withdrawn.
   * `full`: the worker uses more memory than it may, and should get no more calls.
   */
  | {
    readonly kind: "done";
    readonly first: number;
    readonly results: readonly unknown[];
    readonly failures: readonly (number | Failure)[] | undefined;
    readonly skipped?: readonly number[] | undefined;
    readonly spent: number;
    readonly full: boolean;
  }
  /** The worker was asked to end, and only waits for its output to be read. The ports send it, never the loop. */
  | { readonly kind: "draining" }
  /** The answer to the oldest call has come and cannot be read. A thread's channel reports it, never the worker. */
  | { readonly kind: "unread" }
  /** The calls from `first` on have not begun and will not run: they were recalled. */
  | { readonly kind: "recalled"; readonly first: number }
  /**
   * The worker ends by its own will; its calls from `unbegun` on have not begun and will not run. `uncaught`: an error may
   * end it, which its channel will report; every message from before that error has come before this one.
   */
  | { readonly kind: "bye"; readonly exitCode: number; readonly unbegun: number; readonly uncaught: boolean };

/**
 * The results of the calls `first`, `first + 1`, ...; that of a withdrawn call is empty. `spent`: how long they ran, in whole
 * microseconds, as a fraction would turn the array into one of fractions, which take eight bytes each.
 */
export type Answers = readonly [first: number, spent: number, ...results: unknown[]] & { readonly kind?: undefined };

/** Reports in one message at most. */
export const MOST_REPORTS = 1024;

/** With more answers, the array that a copy makes of them costs more than the object around them: 5 % of a burst on Node 24. */
const MANY = 32;

/** Makes the message for some results: the plain one if it is enough. */
export function toAnswers(done: Done): Done | Answers {
  if (done.failures || done.skipped || done.full || done.results.length > MANY) return done;
  return [done.first, done.spent, ...done.results];
}

/** What a worker says of a stream. */
export type StreamNews = Extract<FromWorker, { kind: "yields" | "pull" | "closed" }>;

/** A message from a worker, with plain answers written out. */
export type Said = Exclude<FromWorker, Answers>;

/**
 * Reads what came from a worker. It is data from another program: its kind and its parts are checked, and nothing of it is
 * called.
 *
 * @param received Anything that a channel delivers.
 * @returns The message; `undefined` when it is malformed.
 */
export function readFromWorker(received: unknown): Said | undefined {
  if (Array.isArray(received)) return readAnswers(received);
  if (typeof received !== "object" || received === null) return undefined;
  const field = (name: string): unknown => ownValue(received, name);
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
    case "reports": {
      const call = field("call"), values = field("values");
      if (!isCount(call) || !Array.isArray(values) || values.length > MOST_REPORTS) return undefined;
      return { kind, call, values };
    }
    case "yields": {
      const call = field("call"), values = field("values");
      return isCount(call) && Array.isArray(values) ? { kind, call, values } : undefined;
    }
    case "pull": {
      const call = field("call"), input = field("input"), count = field("count");
      return isCount(call) && isCount(input) && isCount(count) ? { kind, call, input, count } : undefined;
    }
    case "closed": {
      const call = field("call"), input = field("input");
      return isCount(call) && isCount(input) ? { kind, call, input } : undefined;
    }
    case "recalled": {
      const first = field("first");
      return isCount(first) ? { kind, first } : undefined;
    }
    case "unready": {
      const failure = field("failure");
      return isFailure(failure) ? { kind, failure } : undefined;
    }
    case "finalized": {
      const failure = field("failure");
      return failure === undefined || isFailure(failure) ? { kind, failure } : undefined;
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

/** Writes plain answers out. */
function readAnswers(answers: readonly unknown[]): Done | undefined {
  const count = answers.length - 2;
  if (count < 0 || count > CALLS_PER_WORKER) return undefined;
  const [first, spent] = answers;
  if (!isCount(first) || !isTime(spent)) return undefined;
  return { kind: "done", first, results: answers.slice(2), failures: undefined, spent, full: false };
}

function readDone(field: (name: string) => unknown): Done | undefined {
  const first = field("first"), results = field("results"), failures = field("failures");
  const skipped = field("skipped"), spent = field("spent"), full = field("full");
  if (!isCount(first) || !isTime(spent) || typeof full !== "boolean") return undefined;
  if (!Array.isArray(results) || results.length > CALLS_PER_WORKER) return undefined;
  if (failures !== undefined && !areFailures(failures, results.length)) return undefined;
  if (skipped !== undefined && !areIndices(skipped, results.length)) return undefined;
  return { kind: "done", first, results, failures, skipped, spent, full };
}

/** Whether these are ascending indices. */
function areIndices(indices: unknown, results: number): indices is number[] {
  if (!Array.isArray(indices) || indices.length > results) return false;
  let last = -1;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!isCount(index) || index <= last || index >= results) return false;
    last = index;
  }
  return true;
}

/** Whether these are pairs of an index and a failure, with ascending indices. */
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
