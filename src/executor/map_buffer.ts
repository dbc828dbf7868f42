// The calls of a map() between their making and the taking of their results. Which result is next depends on `ordered`: the
// oldest call's, or the one that came first.

import { PENDING } from "../future/state.ts";
import type { MappedCall } from "./map_call.ts";

/** Calls that were made and whose results were not taken. */
export interface MapBuffer {
  /** How many there are. */
  readonly size: number;
  /** All of them. */
  readonly calls: MappedCall[];
  /** Adds a call that was made. */
  add(call: MappedCall): void;
  /** A call is done. */
  completed(call: MappedCall): void;
  /** Takes the call whose result is next; `undefined` while it is not done. */
  take(): MappedCall | undefined;
  /** Takes all calls. */
  clear(): MappedCall[];
}

/** Makes a buffer. */
export function makeBuffer(ordered: boolean): MapBuffer {
  return ordered ? new OrderedBuffer() : new UnorderedBuffer();
}

/** Results in the order of the items. */
class OrderedBuffer implements MapBuffer {
  readonly #calls = new Fifo<MappedCall>();

  get size(): number {
    return this.#calls.size;
  }

  get calls(): MappedCall[] {
    return this.#calls.items;
  }

  add(call: MappedCall): void {
    this.#calls.push(call);
  }

  completed(): void {}

  take(): MappedCall | undefined {
    const { head } = this.#calls;
    return head === undefined || head.state === PENDING ? undefined : this.#calls.shift();
  }

  clear(): MappedCall[] {
    return this.#calls.clear();
  }
}

/** Results in the order in which they come. */
class UnorderedBuffer implements MapBuffer {
  readonly #pending = new Set<MappedCall>();
  readonly #done = new Fifo<MappedCall>();

  get size(): number {
    return this.#pending.size + this.#done.size;
  }

  get calls(): MappedCall[] {
    return [...this.#pending, ...this.#done.items];
  }

  add(call: MappedCall): void {
    this.#pending.add(call);
  }

  completed(call: MappedCall): void {
    this.#pending.delete(call);
    this.#done.push(call);
  }

  take(): MappedCall | undefined {
    return this.#done.shift();
  }

  clear(): MappedCall[] {
    const { calls } = this;
    this.#pending.clear();
    this.#done.clear();
    return calls;
  }
}

/** First in, first out, in an array: shift() takes the same time however many there are. */
class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  get items(): T[] {
    return this.#items.slice(this.#head) as T[];
  }

  get head(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    // Gives the room of what was taken back, now and then.
    if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): T[] {
    const { items } = this;
    this.#items = [];
    this.#head = 0;
    return items;
  }
}
