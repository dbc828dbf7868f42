// A call that a host has taken from the queue and not answered yet; or a chunk of calls, which is taken and answered as one.

import { type Deferred, deferred } from "../../future/deferred.ts";
import { CancelledError } from "../../future/errors.ts";
import { endCall, type Future } from "../../future/future.ts";
import type { JobData } from "../protocol.ts";
import type { ChunkRun } from "./chunk_run.ts";

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
  /** The same of a chunk. */
  chunk: ChunkRun | undefined = undefined;
  readonly #handedBack: Deferred<typeof BACK> = deferred();
  #isBack = false;

  constructor(data: JobData) {
    this.data = data;
    this.controller = data.stoppable ? new AbortController() : undefined;
  }

  /** How many calls the job has. */
  get count(): number {
    const { args } = this.data;
    return typeof args === "string" ? 1 : args.length;
  }

  /** Resolves when the call is handed back, whether or not its task still runs here. */
  get handedBack(): Promise<typeof BACK> {
    return this.#handedBack.promise;
  }

  get isBack(): boolean {
    return this.#isBack;
  }

  handBack(): void {
    this.#isBack = true;
    this.#handedBack.resolve(BACK);
  }

  /** Takes it from the executor; false when it has begun, or the executor does not have it. */
  cancel(): boolean {
    return (this.future ?? this.chunk)?.cancel() ?? false;
  }

  /** Cancels it, or stops its task if that may be stopped. Of a chunk no further item begins. */
  stop(): void {
    if (this.cancel()) return;
    if (this.controller) this.controller.abort(new CancelledError());
    else this.chunk?.leave();
  }

  /** Ends it together with its worker. */
  end(reason: unknown): void {
    if (this.future) endCall(this.future, reason);
    else this.chunk?.end(reason);
  }
}
