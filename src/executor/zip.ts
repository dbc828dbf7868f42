// The inputs of map() as one: each item stands for the arguments of a call, until the shortest input ends.
//
// Inputs are code of the user: next() and return() may do anything, such as end the iteration. Whatever they do:
// - An input is asked for one item at a time, and for none once the source is closed.
// - return() of an input is called at most once, and not after the input has ended or thrown by itself, as in a loop. It is
//   not called within the input's own next(), where a generator refuses it, but as soon as that has returned.

import { show } from "../wire/check.ts";
import type { AnyIterable } from "./map_options.ts";

/** What {@linkcode Source.next} returns after the last item. */
export const END = Symbol("end");

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** Reads several inputs side by side. */
export class Source {
  /** Whether next() gives promises. */
  readonly async: boolean = false;
  readonly #iterators: AnyIterator[] = [];
  readonly #isAsync: boolean[] = [];
  /** Which of them have neither ended nor been closed. */
  readonly #open: boolean[] = [];
  /** The input whose next() runs at the moment; -1 for none. */
  #within = -1;
  #closed = false;

  /**
   * Opens the inputs.
   *
   * @param inputs Iterables and async iterables; none at all is an empty input.
   * @throws what an input throws; the inputs before it are closed.
   */
  constructor(inputs: readonly AnyIterable<unknown>[]) {
    try {
      for (const input of inputs) {
        const { [Symbol.asyncIterator]: openAsync } = input as Partial<AsyncIterable<unknown>>;
        if (openAsync) this.async = true;
        this.#isAsync.push(openAsync !== undefined);
        this.#iterators.push(openAsync ? openAsync.call(input) : (input as Iterable<unknown>)[Symbol.iterator]());
        this.#open.push(true);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether an input has yet to be closed. */
  get open(): boolean {
    return this.#open.some((open, i) => open && i !== this.#within);
  }

  /** The next item, or {@linkcode END}; a promise of it if `async`. Throws, or rejects with, what an input throws. */
  next(): unknown {
    if (!this.async) return this.#nextSync();
    return this.#iterators.length === 1 ? this.#readAsync(0) : this.#nextAsync();
  }

  /** The arguments that an item stands for: the item itself if there is one input. */
  toArguments(item: unknown): readonly unknown[] {
    return this.#iterators.length === 1 ? [item] : item as unknown[];
  }

  /** Closes the inputs that have not ended. Their errors are dropped: nobody waits for them any more. */
  close(): void {
    this.#closed = true;
    const open = this.#iterators.filter((_, i) => this.#open[i] && i !== this.#within);
    for (let i = 0; i < this.#open.length; i++) this.#open[i] &&= i === this.#within;
    for (const iterator of open) void quietly(() => iterator.return?.());
  }

  #nextSync(): unknown {
    const count = this.#iterators.length;
    if (count === 1) return this.#read(0);
    const args: unknown[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.#read(i);
      if (item === END) return END;
      args.push(item);
    }
    return count > 0 ? args : END;
  }

  /** The next item of a sync input. */
  #read(i: number): unknown {
    let item: unknown = END;
    this.#within = i;
    try {
      item = itemOf((this.#iterators[i] as Iterator<unknown>).next());
    } finally {
      this.#within = -1;
      if (item === END) this.#ended(i);
    }
    if (!this.#closed) return item;
    this.close(); // again: the first time left out this input, which was in its next()
    return END;
  }

  async #nextAsync(): Promise<unknown> {
    const args: unknown[] = [];
    for (let i = 0; i < this.#iterators.length; i++) {
      const item = this.#isAsync[i] ? await this.#readAsync(i) : this.#read(i);
      if (item === END || this.#closed) return END;
      args.push(item);
    }
    return args;
  }

  /** The next item of an async input. */
  async #readAsync(i: number): Promise<unknown> {
    let item: unknown = END;
    this.#within = i;
    try {
      const result = this.#iterators[i]!.next();
      this.#within = -1;
      // An input can be closed while it waits: otherwise a source such as a socket might wait for ever.
      if (this.#closed) this.close();
      item = itemOf(await result);
    } finally {
      this.#within = -1;
      if (item === END) this.#ended(i);
    }
    return item;
  }

  /** An input has ended, or failed: the others are closed. */
  #ended(i: number): void {
    this.#open[i] = false;
    this.close();
  }
}

/** The item of an iterator's result, read as a loop does: `done` before `value`. */
function itemOf(result: IteratorResult<unknown>): unknown {
  if (typeof result !== "object" && typeof result !== "function" || result === null) {
    throw new TypeError(`Cannot map a task as next() of its inputs must give objects: received ${show(result)}`);
  }
  return result.done ? END : result.value;
}

async function quietly(fn: () => unknown): Promise<void> {
  try {
    await fn();
  } catch {
    // Nobody waits for it: see Source.close().
  }
}
