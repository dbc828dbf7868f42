// The seam between the cases and what they measure.

import type { TaskName } from "./tasks.ts";

/** The side that submits. */
export interface Client {
  /** Calls a task, and awaits its result. */
  one(task: TaskName, arg: number): Promise<unknown>;
  /** Calls a task with each of `args`, all at once, and awaits the results. */
  many(task: TaskName, args: readonly number[]): Promise<unknown[]>;
  /** The same with map(), where there is one. */
  map?(task: TaskName, args: readonly number[]): Promise<unknown[]>;
  /** The same in chunks of so many. */
  chunks?(task: TaskName, args: readonly number[], chunksize: number): Promise<unknown[]>;
  close(): Promise<void>;
}

/** What is measured. */
export interface Contender {
  /** The side that submits to a queue. */
  open(url: string, queue: string): Promise<Client>;
  /** The side that runs what is submitted, so many calls at the same time; resolves when it takes some. */
  serveTasks(url: string, queue: string, workers: number): Promise<void>;
}

/** Whose processor time is counted. */
export const CONSUMERS = ["host", "Redis", "submitter"] as const;

export type Consumer = typeof CONSUMERS[number];

/** The figure of what one call of a case takes of the processors, in microseconds. */
export function costOf(figure: string, who: Consumer): string {
  return `${figure}, ${who}`;
}

/** The figure of the share of the processors that nobody uses in a case. */
export function idleIn(figure: string): string {
  return `${figure}, idle`;
}
