// What a program does with all workers of an executor: it starts them.

import type { Engine } from "../executor/engine.ts";
import type { WorkerControl } from "../executor/worker_control.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** The control of the workers of a pool. */
export class PoolControl implements WorkerControl {
  readonly #engine: Pick<Engine, "assertOpen">;
  readonly #pool: WorkerPool;
  readonly #dispatcher: Dispatcher;

  constructor(engine: Pick<Engine, "assertOpen">, pool: WorkerPool, dispatcher: Dispatcher) {
    this.#engine = engine;
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
    this.#dispatcher.dispatchSoon();
    return ready;
  }
}
