// A call that a host has taken from the queue and not answered yet.

import { type Deferred, deferred } from "../../future/deferred.ts";
import type { Future } from "../../future/future.ts";
import type { JobData } from "../protocol.ts";

/** The job goes back into the queue: there is no reply. */
export const BACK: unique symbol = Symbol("handed back");

/** One call of a {@linkcode JobRunner}. */
export class ActiveCall {
  readonly data: JobData;
  /** Stops the task while it runs; `undefined` when nobody may want that. */
  readonly controller: AbortController | undefined;
  /** When the executor got it, by `performance.now()`. */
  since: number = performance.now();
  /** The executor's, once it has the call. */
  future: Future<unknown> | undefined = undefined;
  readonly #handedBack: Deferred<typeof BACK> = deferred();

  constructor(data: JobData) {
    this.data = data;
    this.controller = data.stoppable ? new AbortController() : undefined;
  }

  /** Resolves when the call is handed back, whether or not its task still runs here. */
  get handedBack(): Promise<typeof BACK> {
    return this.#handedBack.promise;
  }

  handBack(): void {
    this.#handedBack.resolve(BACK);
  }
}
