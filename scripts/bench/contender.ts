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
  /** Calls a task for each item and waits for all results, where the contender has a way of its own for it. */
  map?(task: TaskName, items: readonly unknown[]): Promise<unknown>;
  /** Calls increment() of a module that marks it as a task, where the contender has a way of its own to do so. */
  incrementOfModule?(n: number): PromiseLike<unknown>;
  /** Sends bytes there and back without a copy. */
  move?(bytes: Uint8Array): PromiseLike<unknown>;
  /** Ends the workers. */
  close(): unknown;
}

/** What an adapter exports. */
export interface Contender {
  readonly kinds: readonly Kind[];
  /** Makes a pool of that many workers. It need not wait until they are up. */
  open(options: { readonly workers: number; readonly kind: Kind }): Promise<Pool>;
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
  "tinypool",
  "workerpool",
] as const;

/** The module of an adapter; each process loads only its own. */
export function contender(name: string): Promise<Contender> {
  return import(`./contenders/${name.replaceAll("-", "_")}.ts`);
}
