// How a behaviour is checked: as a named test, for one kind of executor, under a ceiling, with nothing left behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokenExecutor, Executor, ExecutorOptions } from "../../mod.ts";
import { until, within } from "../support/until.ts";

export type ExecutorClass = new (options?: ExecutorOptions) => Executor;

/** A kind of executor, and what is known to differ. */
export interface Kind {
  readonly name: "ThreadPoolExecutor" | "ProcessPoolExecutor" | "BullMQExecutor";
  readonly Executor: ExecutorClass;
  readonly Broken: new (message: string) => BrokenExecutor;
  /** Whether a worker's calls can be told apart as begun or not until it dies. */
  readonly sharesMemory: boolean;
  /** The workers of this program that the operating system sees. */
  readonly alive: () => unknown[];
  /** Why its tests cannot be run here. */
  readonly skip?: string | false;
  /** Behaviours that it does not have, and why: by how the test's name goes on after the executor's, up to any numbers. */
  readonly absent?: Readonly<Record<string, string>>;
}

/**
 * Registers a test.
 *
 * @param kind The executor, whose name starts the test's name.
 * @param what The rest of the name, with the numbers of Python's behaviours that it covers.
 * @param body The test. It makes executors of the class that it is given and ends them all.
 */
export function behaviour(kind: Kind, what: string, body: (Executor: ExecutorClass) => Promise<void> | void): void {
  const name = kind.name + what;
  if (kind.absent?.[what.replace(/ \[.*\]$/, "")]) return;
  test(name, { skip: kind.skip ?? false }, async () => {
    const made: Executor[] = [];
    class Watched extends (kind.Executor as ExecutorClass) {
      constructor(options?: ExecutorOptions) {
        super(options);
        made.push(this);
      }
    }
    try {
      await within(name, Promise.resolve(body(Watched)));
      for (const executor of made) assert.equal(executor.stats().workers, 0, "the test has left a worker behind");
      // Deno and Bun do not tell when a thread has gone.
      await until("the test's workers have gone", () => kind.alive().length === 0);
    } finally {
      // A failed test must not keep the others from being run.
      for (const executor of made) executor.killWorkers();
    }
  });
}
