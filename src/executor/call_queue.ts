// The calls that wait for a worker: higher priorities first, and first in, first out among equals. The list runs through the
// calls themselves, so push, shift and remove take the same time however many there are.

import type { TaskRecord } from "./task_table.ts";

/** What is queued: a call, or a supply of calls that are made when their turn comes. The queue alone sets the links. */
export interface QueueEntry<C> {
  readonly priority: number;
  /** How many calls it stands for; an entry with none left is in no queue. */
  readonly size: number;
  readonly task: TaskRecord;
  /** How long its next call is expected to take, in milliseconds; Infinity for a call that must not share its worker. */
  readonly cost: number;
  /** The chunk of its calls: those of one chunk are handed over together, to an idle worker. */
  readonly chunk: object | undefined;
  /** Whether anybody still needs its results; if not, it is cancelled rather than queued again. */
  readonly wanted: boolean;
  /** Takes its next call. */
  draw(): C;
  queue: CallQueue<C> | undefined;
  before: QueueEntry<C> | undefined;
  after: QueueEntry<C> | undefined;
}

/** The calls of one priority. */
interface Lane<C> {
  readonly priority: number;
  head: QueueEntry<C> | undefined;
  tail: QueueEntry<C> | undefined;
  /** How many calls it has. */
  size: number;
  /** Its index in the heap; -1 when it is not there. */
  place: number;
}

const makeLane = <C>(priority: number): Lane<C> => ({
  priority,
  head: undefined,
  tail: undefined,
  size: 0,
  place: -1,
});

/** One lane for each priority that has calls. */
export class CallQueue<C> {
  /** The lane of priority 0, which most calls are in. */
  readonly #usual = makeLane<C>(0);
  /** The lanes of other priorities that have calls. */
  readonly #lanes = new Map<number, Lane<C>>();
  /** The same lanes as a heap, the highest priority first: thousands of priorities cost a call their logarithm. */
  readonly #heap: Lane<C>[] = [];
  #size = 0;

  /** How many calls are queued. */
  get size(): number {
    return this.#size;
  }

  /** What the next call comes from. */
  get head(): QueueEntry<C> | undefined {
    return this.#first.head;
  }

  /** How many calls are queued that have the priority of the next one. */
  get peers(): number {
    return this.#first.size;
  }

  /** The lane of the highest priority that has calls, if any has. */
  get #first(): Lane<C> {
    const top = this.#heap[0];
    if (top === undefined) return this.#usual;
    return top.priority < 0 && this.#usual.head ? this.#usual : top;
  }

  /** Adds an entry behind all others of its priority. */
  push(entry: QueueEntry<C>): void {
    const lane = this.#lane(entry.priority);
    this.#insert(entry, lane, lane.tail, undefined);
  }

  /** Adds an entry before all others of its priority: it was queued before, and withdrawn from a worker. */
  unshift(entry: QueueEntry<C>): void {
    const lane = this.#lane(entry.priority);
    this.#insert(entry, lane, undefined, lane.head);
  }

  /** Takes the call whose turn is next. */
  shift(): C | undefined {
    const lane = this.#first, entry = lane.head;
    if (!entry) return undefined;
    if (entry.size === 1) this.remove(entry);
    else {
      lane.size--;
      this.#size--;
    }
    return entry.draw();
  }

  /** Removes an entry of this queue, wherever it stands. */
  remove(entry: QueueEntry<C>): void {
    const lane = this.#lane(entry.priority);
    const { before, after } = entry;
    if (before) before.after = after;
    else lane.head = after;
    if (after) after.before = before;
    else lane.tail = before;
    entry.queue = entry.before = entry.after = undefined;
    lane.size -= entry.size;
    this.#size -= entry.size;
    if (!lane.head && lane !== this.#usual) this.#drop(lane);
  }

  #insert(
    entry: QueueEntry<C>,
    lane: Lane<C>,
    before: QueueEntry<C> | undefined,
    after: QueueEntry<C> | undefined,
  ): void {
    entry.queue = this;
    entry.before = before;
    entry.after = after;
    if (before) before.after = entry;
    else lane.head = entry;
    if (after) after.before = entry;
    else lane.tail = entry;
    lane.size += entry.size;
    this.#size += entry.size;
  }

  #lane(priority: number): Lane<C> {
    if (priority === 0) return this.#usual;
    let lane = this.#lanes.get(priority);
    if (!lane) {
      this.#lanes.set(priority, lane = makeLane(priority));
      this.#rise(lane, this.#heap.length);
    }
    return lane;
  }

  /** Removes an empty lane. */
  #drop(lane: Lane<C>): void {
    this.#lanes.delete(lane.priority);
    const last = this.#heap.pop()!;
    if (last === lane) return;
    const above = this.#heap[(lane.place - 1) >> 1];
    if (above && above.priority < last.priority) this.#rise(last, lane.place);
    else this.#sink(last, lane.place);
  }

  /** Puts a lane at `place`, or above it. */
  #rise(lane: Lane<C>, place: number): void {
    while (place > 0) {
      const parent = (place - 1) >> 1, above = this.#heap[parent]!;
      if (above.priority >= lane.priority) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(lane, place);
  }

  /** Puts a lane at `place`, or below it. */
  #sink(lane: Lane<C>, place: number): void {
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

  #put(lane: Lane<C>, place: number): void {
    this.#heap[place] = lane;
    lane.place = place;
  }
}
