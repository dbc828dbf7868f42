// What an executor can do with all of its workers, if they are workers of this program.

import type { Guard } from "./guard.ts";
import type { TaskRecord } from "./task_table.ts";

/** The control of the workers of an engine. */
export interface WorkerControl {
  /** Starts all workers; resolves when all are ready. */
  warmUp(): Promise<void>;
  /** Changes how many there are at most. */
  resize(maxWorkers: number): void;
  /** Has each worker that is up, or starting, run a call; resolves with their results. */
  broadcast(task: TaskRecord, args: readonly unknown[]): Promise<unknown[]>;
}

/** What has such a control: an engine. */
interface Controlled {
  readonly guard: Guard | undefined;
  readonly workers: WorkerControl | undefined;
}

/**
 * The control of an engine's workers.
 *
 * @param engine The engine.
 * @param action What the caller wants to do, for the message: "warm up workers".
 * @throws {TypeError} when the workers are not of this program.
 * @throws {Error} when a module does it while a worker loads it.
 */
export function controlOf(engine: Controlled, action: string): WorkerControl {
  engine.guard?.check(action);
  if (engine.workers) return engine.workers;
  throw new TypeError(
    `Cannot ${action} as this executor has no workers in this program: do it in the programs of its hosts`,
  );
}
