// The calls that no worker has yet: first in, first out, within a priority. A list that runs through the calls
// themselves, so that push, shift and removal take the same time however many there are.

/** What the queue links; the links are the queue's own. */
export interface Queued {
  queue: CallQueue<Queued> | undefined;
  before: Queued | undefined;
  after: Queued | undefined;
}

/** A queue of calls. */
export class CallQueue<C extends Queued> {
  #head: Queued | undefined;
  #tail: Queued | undefined;
  #size = 0;

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  /** The call whose turn is next. */
  get head(): C | undefined {
    return this.#head as C | undefined;
  }

  /** Adds a call behind all others. */
  push(call: C): void {
    this.#insert(call, this.#tail, undefined);
  }

  /** Adds a call before all others: it waited before, and was taken back from a worker that has not begun it. */
  unshift(call: C): void {
    this.#insert(call, undefined, this.#head);
  }

  /** Takes the call whose turn is next. */
  shift(): C | undefined {
    const call = this.#head;
    if (call) this.remove(call as C);
    return call as C | undefined;
  }

  /** Takes a call out of this queue, wherever it stands. */
  remove(call: C): void {
    const { before, after } = call;
    if (before) before.after = after;
    else this.#head = after;
    if (after) after.before = before;
    else this.#tail = before;
    call.queue = call.before = call.after = undefined;
    this.#size--;
  }

  #insert(call: C, before: Queued | undefined, after: Queued | undefined): void {
    call.queue = this as unknown as CallQueue<Queued>;
    call.before = before;
    call.after = after;
    if (before) before.after = call;
    else this.#head = call;
    if (after) after.before = call;
    else this.#tail = call;
    this.#size++;
  }
}
