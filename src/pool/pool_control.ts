// What a program does with all workers of an executor: it starts them, changes how many there may be, and has each run a call.

import type { Call, CallEngine } from "../executor/call.ts";
import type { Engine } from "../executor/engine.ts";
import type { TaskRecord } from "../executor/task_table.ts";
import type { WorkerControl } from "../executor/worker_control.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { PinnedCall, resultsOf } from "./pinned_call.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** The control of the workers of a pool. */
export class PoolControl implements WorkerControl {
  readonly #engine: CallEngine & Pick<Engine, "assertOpen">;
  readonly #pool: WorkerPool;
  readonly #dispatcher: Dispatcher;

  readonly #requeue: (calls: readonly Call[]) => void;

  /**
   * @param engine The engine of the pool.
   * @param pool The workers.
   * @param dispatcher Hands them calls.
   * @param requeue Queues calls that were withdrawn from workers, the youngest first.
   */
  constructor(
    engine: CallEngine & Pick<Engine, "assertOpen">,
    pool: WorkerPool,
    dispatcher: Dispatcher,
    requeue: (calls: readonly Call[]) => void,
  ) {
    this.#engine = engine;
    this.#requeue = requeue;
    this.#pool = pool;
    this.#dispatcher = dispatcher;
  }

  warmUp(): Promise<void> {
    try {
      this.#engine.assertOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    const { workers, maxWorkers, warmUp } = this.#pool;
    const ready = warmUp.begin(workers, maxWorkers);
    this.#dispatcher.workersWanted();
    return ready;
  }

  resize(maxWorkers: number): void {
    this.#engine.assertOpen();
    const pool = this.#pool, withdrawn: Call[] = [];
    maxWorkers = pool.maxWorkers = Math.min(maxWorkers, pool.mostWorkers);
    for (const worker of [...pool.workers]) {
      worker.surplus = worker.index >= maxWorkers;
      if (!worker.surplus) continue;
      if (worker.idle) pool.dismiss(worker);
      else if (worker.state === "starting") {
        if (worker.pinned.length === 0) pool.end(worker, "kill");
      } else {
        withdrawn.push(...worker.calls.withdrawAll());
        worker.recall(true);
      }
    }
    this.#requeue(withdrawn.sort((a, b) => b.turn - a.turn));
    pool.warmUp.look(maxWorkers);
    this.#dispatcher.workersWanted();
  }

  broadcast(task: TaskRecord, args: readonly unknown[]): Promise<unknown[]> {
    try {
      this.#engine.assertOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    const workers = [...this.#pool.workers].sort((a, b) => a.index - b.index);
    const calls = workers.map((worker) => new PinnedCall<unknown>(this.#engine, task, args, worker));
    for (const call of calls) call.home.pinned.push(call);
    const results = resultsOf(calls);
    this.#dispatcher.pinned(workers);
    return results;
  }
}
