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
  // All are observed from the begin on: a failure may come while an earlier call still runs, or right before the executor ends.
  const ends = calls.map(({ future }) => future.then((value) => ({ value }), (error: unknown) => ({ error })));
  return (await Promise.all(ends)).map((end) => {
    if ("error" in end) throw end.error;
    return end.value;
  });
}
