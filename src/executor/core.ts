// What runs the calls of an executor, as executor.ts and map.ts see it: the scheduler of the local pools, or another engine.

import type { Call, CallOwner, Waiting } from "./call.ts";
import type { Guard } from "./guard.ts";
import type { Room } from "./queue_limit.ts";
import type { ExecutorStats } from "./stats.ts";
import type { TaskTable } from "./task_table.ts";

/** What runs the calls: the inside of an ExecutorCore. */
export interface Core extends CallOwner {
  readonly tasks: TaskTable;
  /** In a worker, asked before anything else. */
  readonly guard: Guard | undefined;
  /** The room in the queue. */
  readonly room: Room;
  /**
   * Throws unless calls are accepted.
   *
   * @throws {BrokenExecutor} when the executor is broken, even after shutdown (X2).
   * @throws {ShutdownError} when it has been shut down, or the program is exiting.
   */
  admit(): void;
  /** Takes a call that was admitted, or a supply of calls, which it draws when their turn comes. */
  submit(waiting: Call | Waiting): void;
  /** Takes a supply back, for its owner to forget what was not drawn. */
  withdrawAll(supply: Waiting): void;
  /** Takes no more calls; see Executor.shutdown(). */
  shutdown(cancelFutures: boolean): Promise<void>;
  /** As Executor.stats(). */
  stats(): ExecutorStats;
  /** Ends every worker now; see Executor.terminateWorkers() and killWorkers(). */
  end(how: "terminate" | "kill"): void;
}
