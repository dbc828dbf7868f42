// A call of broadcast(): one worker runs it, and no other.

import { SubmittedCall } from "../executor/call.ts";
import type { CallEngine } from "../executor/call.ts";
import type { TaskRecord } from "../executor/task_table.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** A call that waits at its worker, and not in the queue. */
export class PinnedCall<T> extends SubmittedCall<T> {
  readonly home: WorkerHandle;

  constructor(engine: CallEngine, task: TaskRecord, args: readonly unknown[], home: WorkerHandle) {
    super(engine, task, args, undefined);
    this.home = home;
  }

  /** Nothing is handed over behind it. */
  override get cost(): number {
    return Infinity;
  }
}

/** Resolves with the results of calls when all are done, or rejects with the first error in their order. */
export async function resultsOf<T>(calls: readonly PinnedCall<T>[]): Promise<T[]> {
  const results: T[] = [], errors: unknown[] = [];
  for (const { future } of calls) {
    try {
      results.push(await future);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return results;
}
