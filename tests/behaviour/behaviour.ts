// A behaviour is a named test of one kind of executor. It has a time limit and must leave no worker behind.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import type { BrokenExecutor, Executor, ExecutorOptions, ExecutorStats } from "../../mod.ts";
import { until, within } from "../support/until.ts";

export type ExecutorClass = new (options?: ExecutorOptions) => Executor<ExecutorStats>;

/** A kind of executor, and how it differs from the others. */
export interface Kind {
  readonly name: "ThreadPoolExecutor" | "ProcessPoolExecutor" | "InlineExecutor" | "BullMQExecutor";
  readonly Executor: ExecutorClass;
  readonly Broken: new (message: string) => BrokenExecutor;
  /** Whether the executor knows of each call of a worker that dies whether it has begun. */
  readonly sharesMemory: boolean;
  /** Lists this program's workers, as the operating system sees them. */
  readonly alive: () => unknown[];
  /** Why its tests cannot run here. */
  readonly skip?: string | false;
  /** Behaviours that it lacks, and why. A key is the test's name without the executor's name and without numbers. */
  readonly absent?: Readonly<Record<string, string>>;
}

/**
 * Registers a test.
 *
 * @param kind The executor, whose name starts the test's name.
 * @param what The rest of the name, with the numbers of Python's behaviours that it covers.
 * @param body The test. It makes executors of the given class and ends them all.
 */
export function behaviour(kind: Kind, what: string, body: (Executor: ExecutorClass) => Promise<void> | void): void {
  const name = kind.name + what;
  if (kind.absent?.[what.replace(/ \[.*\]$/, "")]) return;
  test(name, { skip: kind.skip ?? false }, async () => {
    const made: Executor<ExecutorStats>[] = [];
    class Watched extends (kind.Executor as ExecutorClass) {
      constructor(options?: ExecutorOptions) {
        super(options);
        made.push(this);
      }
    }
    try {
      await within(name, Promise.resolve(body(Watched)));
      for (const executor of made) assertEquals(executor.stats().workers, 0, "the test has left a worker behind");
      // Deno and Bun do not say when a thread has ended.
      await until("the test's workers have gone", () => kind.alive().length === 0);
    } finally {
      // A failed test must not block the others.
      for (const executor of made) executor.killWorkers();
    }
  });
}
