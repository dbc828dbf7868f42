// The seam between the cases and the contenders: what a case asks for, and what each adapter in contenders/ gives.

import type * as tasks from "./contenders/tasks.js";

/** How the workers of a contender run. */
export type Kind = "threads" | "processes";

export const KINDS: readonly Kind[] = ["threads", "processes"];

/** A function of contenders/tasks.js. */
export type TaskName = keyof typeof tasks;

/** What a case runs its calls on. */
export interface Pool {
  /** Calls a task; arguments are copied. */
  submit(task: TaskName, arg: unknown): PromiseLike<unknown>;
  /** Calls a task for each item and returns the last result, where the contender has a way of its own for it. */
  map?(task: TaskName, items: readonly unknown[], buffersize?: number): Promise<unknown>;
  /** Streams what a task yields, and returns the last value, where the contender has a way of its own for it. */
  stream?(task: TaskName, arg: unknown, buffersize: number): Promise<unknown>;
  /** Waits for calls by wait(), where the contender has it. */
  wait?(calls: readonly PromiseLike<unknown>[]): Promise<unknown>;
  /** Waits for calls by asCompleted(), where the contender has it. */
  asCompleted?(calls: readonly PromiseLike<unknown>[]): AsyncIterable<unknown>;
  /** Calls increment() of a module that imports what marks it as a task of ours: in a worker that has loaded nothing else. */
  incrementOfModule?(n: number): PromiseLike<unknown>;
  /** Calls a task, and blocks until it has its result. */
  submitSync?(task: TaskName, arg: unknown): unknown;
  /** Blocks until calls are done, and returns how many that are. */
  waitSync?(calls: readonly PromiseLike<unknown>[]): number;
  /** Sends bytes there and back without a copy. */
  move?(bytes: Uint8Array): PromiseLike<unknown>;
  /** Ends the workers. */
  close(): unknown;
}

/** What a pool is opened with. */
export interface OpenOptions {
  readonly workers: number;
  readonly kind: Kind;
  /** The calls after which a worker is replaced. */
  readonly maxTasksPerWorker?: number | undefined;
  /** Whether calls are waited for without the event loop. */
  readonly blocks?: boolean | undefined;
}

/** What an adapter exports. */
export interface Contender {
  readonly kinds: readonly Kind[];
  /** The only cases that it knows; all, by default. */
  readonly cases?: readonly string[];
  /**
   * Makes a pool of that many workers. It need not wait until they are up. Only ours and the bare channel know
   * `maxTasksPerWorker`.
   */
  open(options: OpenOptions): Promise<Pool>;
}

/** The adapters: ours, the bare channel, then by name. */
export const CONTENDERS = [
  "ours",
  "bare",
  "comlink",
  "jest-worker",
  "multithreading",
  "piscina",
  "poolifier",
  "synckit",
  "tinypool",
  "workerpool",
] as const;

/** The module of an adapter; each process loads only its own. */
export function contender(name: string): Promise<Contender> {
  return import(`./contenders/${name.replaceAll("-", "_")}.ts`);
}
