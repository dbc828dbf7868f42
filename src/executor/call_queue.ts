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
  /** Where it stands in the heap; -1 when it does not. */
  place: number;
}

const makeLane = (priority: number): Lane => ({ priority, head: undefined, tail: undefined, place: -1 });

/** A queue of calls. */
export class CallQueue<E extends Queued> {
  /** The lane of priority 0, which most calls are in. */
  readonly #usual = makeLane(0);
  /** The lanes of other priorities that have calls. */
  readonly #lanes = new Map<number, Lane>();
  /** The same as a heap, the highest priority first: thousands of priorities cost a call their logarithm. */
  readonly #heap: Lane[] = [];
  #size = 0;

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  /** What the next call comes from. */
  get head(): E | undefined {
    const top = this.#heap[0];
    if (top === undefined) return this.#usual.head as E | undefined;
    return (top.priority < 0 && this.#usual.head ? this.#usual.head : top.head) as E;
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
    if (!lane.head && lane !== this.#usual) this.#drop(lane);
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
    let lane = this.#lanes.get(priority);
    if (!lane) {
      this.#lanes.set(priority, lane = makeLane(priority));
      this.#rise(lane, this.#heap.length);
    }
    return lane;
  }

  /** Takes an empty lane out of the heap. */
  #drop(lane: Lane): void {
    this.#lanes.delete(lane.priority);
    const last = this.#heap.pop()!;
    if (last === lane) return;
    const above = this.#heap[(lane.place - 1) >> 1];
    if (above && above.priority < last.priority) this.#rise(last, lane.place);
    else this.#sink(last, lane.place);
  }

  /** Puts a lane at `place`, or above it. */
  #rise(lane: Lane, place: number): void {
    while (place > 0) {
      const parent = (place - 1) >> 1, above = this.#heap[parent]!;
      if (above.priority >= lane.priority) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(lane, place);
  }

  /** Puts a lane at `place`, or below it. */
  #sink(lane: Lane, place: number): void {
    for (;;) {
      let child = place * 2 + 1;
      const left = this.#heap[child], right = this.#heap[child + 1];
      if (right && right.priority > left!.priority) child++;
      const below = this.#heap[child];
      if (!below || below.priority <= lane.priority) break;
      this.#put(below, place);
      place = child;
    }
    this.#put(lane, place);
  }

  #put(lane: Lane, place: number): void {
    this.#heap[place] = lane;
    lane.place = place;
  }
}
