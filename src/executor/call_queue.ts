// The calls that no worker has yet: those of a higher priority first, first in, first out among equals. A list that runs
// through the calls themselves, so that push, shift and removal take the same time however many there are.

/** What the queue links; the links are the queue's own. */
export interface Queued {
  readonly priority: number;
  queue: CallQueue<Queued> | undefined;
  before: Queued | undefined;
  after: Queued | undefined;
}

/** The calls of one priority. */
interface Lane {
  readonly priority: number;
  head: Queued | undefined;
  tail: Queued | undefined;
}

/** A queue of calls. */
export class CallQueue<C extends Queued> {
  /** The highest priority first; an empty lane is dropped, but for the usual one. */
  readonly #lanes: Lane[] = [{ priority: 0, head: undefined, tail: undefined }];
  readonly #usual = this.#lanes[0]!;
  #size = 0;

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  /** The call whose turn is next. */
  get head(): C | undefined {
    for (const lane of this.#lanes) {
      if (lane.head) return lane.head as C;
    }
    return undefined;
  }

  /** Adds a call behind all others of its priority. */
  push(call: C): void {
    const lane = this.#lane(call.priority);
    this.#insert(call, lane, lane.tail, undefined);
  }

  /** Adds a call before all others of its priority: it waited before, and was taken back from a worker. */
  unshift(call: C): void {
    const lane = this.#lane(call.priority);
    this.#insert(call, lane, undefined, lane.head);
  }

  /** Takes the call whose turn is next. */
  shift(): C | undefined {
    const call = this.head;
    if (call) this.remove(call);
    return call;
  }

  /** Takes a call out of this queue, wherever it stands. */
  remove(call: C): void {
    const lane = this.#lane(call.priority);
    const { before, after } = call;
    if (before) before.after = after;
    else lane.head = after;
    if (after) after.before = before;
    else lane.tail = before;
    call.queue = call.before = call.after = undefined;
    this.#size--;
    if (!lane.head && lane !== this.#usual) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
  }

  #insert(call: C, lane: Lane, before: Queued | undefined, after: Queued | undefined): void {
    call.queue = this as unknown as CallQueue<Queued>;
    call.before = before;
    call.after = after;
    if (before) before.after = call;
    else lane.head = call;
    if (after) after.before = call;
    else lane.tail = call;
    this.#size++;
  }

  #lane(priority: number): Lane {
    if (priority === 0) return this.#usual;
    let index = this.#lanes.findIndex((lane) => lane.priority <= priority);
    if (index < 0) index = this.#lanes.length;
    const found = this.#lanes[index];
    if (found?.priority === priority) return found;
    const lane: Lane = { priority, head: undefined, tail: undefined };
    this.#lanes.splice(index, 0, lane);
    return lane;
  }
}
