// The seam between the cases and what they measure: the executor, and BullMQ by hand, without and with threads.

import * as ours from "./ours.ts";
import * as plain from "./plain.ts";
import type { TaskName } from "./tasks.ts";
import * as threads from "./threads.ts";

/** The side that submits. */
export interface Client {
  /** Calls a task, and awaits its result. */
  one(task: TaskName, arg: number): Promise<unknown>;
  /** Calls a task with each of `args`, all at once, and awaits the results. */
  many(task: TaskName, args: readonly number[]): Promise<unknown[]>;
  /** The same with map(), where there is one. */
  map?(task: TaskName, args: readonly number[]): Promise<unknown[]>;
  close(): Promise<void>;
}

/** What is measured. */
export interface Contender {
  /** The side that submits to a queue. */
  open(url: string, queue: string): Promise<Client>;
  /** The side that runs what is submitted, so many calls at the same time; resolves when it takes some. */
  serveTasks(url: string, queue: string, workers: number): Promise<void>;
}

export const CONTENDERS = { ours, plain, threads } as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;
