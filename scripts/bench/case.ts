// The seam between the runner and the cases, and how they measure. A case runs in a process of its own, once for each
// contender and run: what it returns are the figures of that one run.

import { median } from "simple-statistics";
import type { Contender, Kind, Pool, TaskName } from "./contender.ts";

/** What a case is run with. */
export interface Entry {
  readonly name: string;
  readonly kind: Kind;
  readonly open: Contender["open"];
  /** To try the suite itself: small numbers, figures that mean little. */
  readonly quick: boolean;
}

/** Figures by what they are of, such as `{ "1000": 250_000 }`. */
export type Figures = Record<string, number>;

/** One case. */
export interface Case {
  readonly name: string;
  readonly title: string;
  /** What one figure is, such as `calls/s`. */
  readonly unit: string;
  /** What the figures are listed by, such as `calls`. */
  readonly by: string;
  /** What a reader of the figures has to know. */
  readonly note?: string;
  /** How the chart shows them: a bar each, or a line over the numbers they are listed by. */
  readonly chart: "bars" | "lines";
  /** Whether a contender takes part. All do unless this says otherwise. */
  readonly admits?: (contender: string, kind: Kind) => boolean;
  /** Runs that are enough, where one run takes long or its figures are medians of much. As many as wanted by default. */
  readonly runs?: number;
  /** The same for the other pools, where no bar is set by them. */
  readonly peerRuns?: number;
  measure(entry: Entry): Promise<Figures>;
}

/** Workers in all cases but those that vary their number. */
export const WORKERS = 2;

/** What work() is given for about a millisecond of one core. */
export const ROUNDS_PER_MS = 500_000;

/** How long a pool may take to close, in milliseconds. */
const CLOSE_LIMIT = 2_000;

/** Whether this is ours or the bare channel: they are fast enough for any number of calls. */
export function isYardstick(name: string): boolean {
  return name === "ours" || name === "bare";
}

/** Opens a pool, uses it and closes it. */
export async function withPool<T>(
  entry: Entry,
  workers: number,
  use: (pool: Pool) => Promise<T>,
  maxTasksPerWorker?: number,
): Promise<T> {
  const pool = await entry.open({ workers, kind: entry.kind, maxTasksPerWorker });
  try {
    return await use(pool);
  } finally {
    // Some pools never finish to close.
    await Promise.race([pool.close(), new Promise((resolve) => setTimeout(resolve, CLOSE_LIMIT))]);
  }
}

/** Submits `count` calls at once, and awaits them as most programs do: by Promise.all. */
export async function burst(pool: Pool, task: TaskName, count: number, arg?: unknown): Promise<void> {
  const results = await Promise.all(submitAll(pool, task, count, arg));
  if (task === "increment") expect(results.at(-1), count);
}

/** Submits `count` calls at once. */
export function submitAll(pool: Pool, task: TaskName, count: number, arg?: unknown): PromiseLike<unknown>[] {
  return Array.from({ length: count }, (_, i) => pool.submit(task, arg ?? i));
}

/** Three rounds that nobody times: workers are up, and the runtime has compiled what it will. */
export async function warmUp(pool: Pool, quick: boolean): Promise<void> {
  for (let round = 0; round < 3; round++) await burst(pool, "increment", quick ? 1_000 : 5_000);
}

/** How long `fn` takes, in milliseconds: the median of rounds for 0.25 s, and of three at least unless one is long. */
export async function time(fn: () => Promise<unknown>, quick = false): Promise<number> {
  const times: number[] = [];
  const enough = quick ? 50 : 250;
  for (let spent = 0; spent < enough || (times.length < 3 && spent < 4 * enough);) {
    const start = performance.now();
    await fn();
    const took = performance.now() - start;
    times.push(took);
    spent += took;
  }
  return median(times);
}

export function expect(found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`Wrong result: ${found} instead of ${wanted}`);
}
