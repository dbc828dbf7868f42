// The calls that no worker has yet: those of a higher priority first, first in, first out among equals. A list that runs
// through the calls themselves, so that push, shift and removal take the same time however many there are.

/** What the queue links: a call, or many that are made when their turn comes. The links are the queue's own. */
export interface Queued {
  readonly priority: number;
  /** How many calls it stands for; what has none left is not in a queue. */
  readonly waiting: number;
  /** Gives the first of them. */
  draw(): unknown;
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
export class CallQueue<E extends Queued> {
  /** The highest priority first; an empty lane is dropped, but for the usual one. */
  readonly #lanes: Lane[] = [{ priority: 0, head: undefined, tail: undefined }];
  readonly #usual = this.#lanes[0]!;
  #size = 0;

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  /** What the next call comes from. */
  get head(): E | undefined {
    for (const lane of this.#lanes) {
      if (lane.head) return lane.head as E;
    }
    return undefined;
  }

  /** Adds calls behind all others of their priority. */
  push(entry: E): void {
    const lane = this.#lane(entry.priority);
    this.#insert(entry, lane, lane.tail, undefined);
  }

  /** Adds a call before all others of its priority: it waited before, and was taken back from a worker. */
  unshift(entry: E): void {
    const lane = this.#lane(entry.priority);
    this.#insert(entry, lane, undefined, lane.head);
  }

  /** Takes the call whose turn is next. */
  shift(): ReturnType<E["draw"]> | undefined {
    const entry = this.head;
    if (!entry) return undefined;
    if (entry.waiting === 1) this.remove(entry);
    else this.#size--;
    return entry.draw() as ReturnType<E["draw"]>;
  }

  /** Takes calls out of this queue, wherever they stand. */
  remove(entry: E): void {
    const lane = this.#lane(entry.priority);
    const { before, after } = entry;
    if (before) before.after = after;
    else lane.head = after;
    if (after) after.before = before;
    else lane.tail = before;
    entry.queue = entry.before = entry.after = undefined;
    this.#size -= entry.waiting;
    if (!lane.head && lane !== this.#usual) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
  }

  #insert(entry: E, lane: Lane, before: Queued | undefined, after: Queued | undefined): void {
    entry.queue = this as unknown as CallQueue<Queued>;
    entry.before = before;
    entry.after = after;
    if (before) before.after = entry;
    else lane.head = entry;
    if (after) after.before = entry;
    else lane.tail = entry;
    this.#size += entry.waiting;
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
