// A chunk of calls as a host runs it: in one go in one worker, as map({ chunksize }) of the local executor does.

import type { ExecutorView } from "../../executor/executor.ts";
import { endMap, withdrawMap } from "../../executor/map_control.ts";
import type { MapIterator } from "../../executor/map_options.ts";
import type { Task } from "../../task/task.ts";
import { background } from "../background.ts";

/** How one item has ended. */
export type Outcome = PromiseSettledResult<unknown>;

/** One chunk in the local executor. */
export class ChunkRun {
  readonly #count: number;
  readonly #results: MapIterator<Outcome>;

  /**
   * Begins to run it.
   *
   * @param executor The local executor, with the options of the calls.
   * @param task The task.
   * @param items The arguments of each call, all of them equally many.
   */
  constructor(executor: ExecutorView, task: Task<unknown[], unknown>, items: readonly (readonly unknown[])[]) {
    this.#count = items.length;
    const inputs = Array.from(items[0]!, (_, i) => items.map((args) => args[i]));
    this.#results = executor.map(task, ...inputs, { chunksize: items.length, settled: true });
  }

  /** How the items have ended: all of them, unless it was taken back or left. */
  async outcomes(): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for await (const outcome of this.#results) outcomes.push(outcome);
    return outcomes;
  }

  /** Takes it back; false when an item has begun. */
  cancel(): boolean {
    return withdrawMap(this.#results, this.#count);
  }

  /** Begins no further item. */
  leave(): void {
    background(this.#results.return(), () => {}); // it never rejects
  }

  /** Ends it together with its worker. */
  end(reason: unknown): void {
    endMap(this.#results, reason);
  }
}
