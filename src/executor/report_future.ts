// The Future of a call that has none of its own: made when its task reports something, for who listens.

import type { Call } from "./call.ts";
import { bindCall, type CallControl, cancelFuture, Future, settleFuture } from "../future/future.ts";
import { CANCELLED, FULFILLED, type FutureState } from "../future/state.ts";

/** What that Future can do: the iteration cancels the call, and counts its failure. */
class ReportControl implements CallControl {
  readonly unobserved: CallControl["unobserved"] = { add() {}, remove() {} };
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  withdraw(): boolean {
    return false;
  }

  begun(): boolean {
    return this.#call.begun();
  }
}

/** The Future of a call of map() or stream(). */
export class ReportFuture {
  readonly #future = new Future<unknown>();

  constructor(call: Call) {
    bindCall(this.#future, new ReportControl(call));
  }

  /** The Future; `undefined` when it is done, and nobody may hear more. */
  get open(): Future<unknown> | undefined {
    return this.#future.done() ? undefined : this.#future;
  }

  /** The call is done. */
  settle(state: FutureState, outcome: unknown): void {
    if (state === CANCELLED) cancelFuture(this.#future, outcome);
    else settleFuture(this.#future, state === FULFILLED ? "fulfilled" : "rejected", outcome);
  }
}
