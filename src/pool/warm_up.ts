// Executor.warmUp(): all workers start, and those who wait learn when each of them was ready.

import { type Deferred, deferred } from "../future/deferred.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Waits until every place for a worker has had one that was ready. */
export class WarmUp {
  /** The indices of the workers that were ready since it began. */
  readonly #ready = new Set<number>();
  readonly #onEnd: () => void;
  #waiting: Deferred<void> | undefined;

  /**
   * @param onEnd Called when nobody waits any more.
   */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Whether somebody waits: all workers are to start, and none is to end because nothing needs it. */
  get isOn(): boolean {
    return this.#waiting !== undefined;
  }

  /** Begins to wait, or joins those who do. */
  begin(workers: Iterable<WorkerHandle>, maxWorkers: number): Promise<void> {
    if (!this.#waiting) {
      this.#waiting = deferred();
      // Nobody has to wait: calls are told, too, that the executor was shut down or is broken.
      this.#waiting.promise.catch(() => {});
    }
    const { promise } = this.#waiting;
    for (const worker of workers) if (worker.state === "ready") this.#ready.add(worker.index);
    this.look(maxWorkers);
    return promise;
  }

  /** A worker is ready. */
  welcome({ index }: WorkerHandle, maxWorkers: number): void {
    if (!this.isOn) return;
    this.#ready.add(index);
    this.look(maxWorkers);
  }

  /** Ends the waiting if each of so many workers was ready. */
  look(maxWorkers: number): void {
    for (let index = 0; index < maxWorkers; index++) if (!this.#ready.has(index)) return;
    this.#end()?.resolve();
  }

  /** They will not be ready any more. */
  fail(error: Error): void {
    this.#end()?.reject(error);
  }

  #end(): Deferred<void> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#ready.clear();
    if (waiting) this.#onEnd();
    return waiting;
  }
}
