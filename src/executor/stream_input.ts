// An async iterable among the arguments of a stream: it stays in the program, and is read as the task in the worker asks for
// its items.
//
// It is code of the user. Whatever it does, it is asked for one item at a time, for none after its end or after close(), and
// its return() is called at most once, and not after it has ended or thrown by itself.

import { transfersOf } from "../wire/marks.ts";
import { show } from "../wire/check.ts";
import { nextTurn } from "../wire/turn.ts";

/** How many items are read in one turn of the event loop at most: an input that always has one leaves the program its timers. */
const MOST_IN_TURN = 1024;

/** Whether an argument stays in the program. What transfer() moves goes to the worker, such as a ReadableStream. */
export function isInput(arg: unknown): arg is AsyncIterable<unknown> {
  if (typeof arg !== "object" || arg === null || transfersOf(arg)) return false;
  return typeof (arg as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
}

/** Where the items go. */
export interface InputOwner {
  /** Sends items to the task. Throws when one cannot cross. */
  send(values: readonly unknown[], transfer?: Transferable[]): void;
  /** The input has ended, or has thrown. */
  ended(thrown: { readonly reason: unknown } | undefined): void;
}

/** Reads one input. */
export class StreamInput {
  readonly #input: AsyncIterable<unknown>;
  readonly #owner: InputOwner;
  #iterator: AsyncIterator<unknown> | undefined;
  /** How many items the task waits for, and how many it may be sent at most at a time. */
  #wanted = 0;
  readonly #most: number;
  #reading = false;
  #over = false;
  /** Plain items that were read in this turn. An object is sent at once: its owner may change it. */
  #items: unknown[] = [];
  #sendsSoon = false;

  constructor(input: AsyncIterable<unknown>, most: number, owner: InputOwner) {
    this.#input = input;
    this.#most = most;
    this.#owner = owner;
  }

  /** The task wants more items; false when it cannot want so many. */
  pull(count: number): boolean {
    if (count < 1 || this.#wanted + count > this.#most) return false;
    this.#wanted += count;
    if (!this.#reading && !this.#over) void this.#read();
    return true;
  }

  /** Nobody wants more items: closes the input, unless it has ended or was never read. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#items = [];
    const iterator = this.#iterator;
    if (iterator) void quietly(() => iterator.return?.());
  }

  async #read(): Promise<void> {
    this.#reading = true;
    let inTurn = 0;
    try {
      const iterator = this.#iterator ??= this.#input[Symbol.asyncIterator]();
      while (this.#wanted > 0 && !this.#over) {
        const result = await iterator.next();
        if (this.#over) break;
        if (typeof result !== "object" && typeof result !== "function" || result === null) {
          throw new TypeError(
            `Cannot read an input of a stream as its next() must give objects: received ${show(result)}`,
          );
        }
        if (result.done) return this.#end(undefined);
        const { value } = result; // before it counts, as it may be a getter that throws
        this.#wanted--;
        if (!this.#send(value)) return;
        if (++inTurn % MOST_IN_TURN === 0) await new Promise<void>(nextTurn);
      }
    } catch (reason) {
      this.#end({ reason });
    } finally {
      this.#reading = false;
    }
    this.#flush();
  }

  /** Sends an item, now or with others; false when it cannot cross, which ends the input. */
  #send(item: unknown): boolean {
    if (typeof item !== "object" && typeof item !== "function" && typeof item !== "symbol" || item === null) {
      this.#items.push(item);
      if (!this.#sendsSoon) {
        this.#sendsSoon = true;
        nextTurn(() => {
          this.#sendsSoon = false;
          this.#flush();
        });
      }
      return true;
    }
    this.#flush();
    try {
      this.#owner.send([item], transfersOf(item)?.slice());
      return true;
    } catch (reason) {
      const iterator = this.#iterator!;
      this.#end({ reason });
      void quietly(() => iterator.return?.());
      return false;
    }
  }

  #flush(): void {
    const items = this.#items;
    if (items.length === 0) return;
    this.#items = [];
    this.#owner.send(items);
  }

  #end(thrown: { readonly reason: unknown } | undefined): void {
    if (this.#over) return;
    this.#flush();
    this.#over = true;
    this.#owner.ended(thrown);
  }
}

async function quietly(fn: () => unknown): Promise<void> {
  try {
    await fn();
  } catch {
    // Nobody waits for it any more.
  }
}
