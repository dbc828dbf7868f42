// What a map() reads: the items of its inputs, in the groups in which they are submitted, as far ahead as it may.
//
// Inputs are code of the user and may do anything while they are read or closed, ending the iteration included. So whenever
// they run, all that assertInvariants() lists holds, and after it has run, nothing is taken for granted: `#closed` and `end`
// are read again.

import type { Engine } from "./engine.ts";
import { assertInvariant } from "../invariant.ts";
import { END, type Source } from "./zip.ts";

/** Items that are put into the queue in one go, at most: the first by itself, so that it starts at once, then twice as many each time. */
const LARGEST_SUPPLY = 1024;

declare function setImmediate(fn: () => void): unknown;

/** How the inputs have ended: by themselves, or with an error. */
export type InputEnd = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

/** Whose items they are. */
export interface ReaderOwner {
  /** Whether one more may be read, when so many are read and not submitted. */
  wants(held: number): boolean;
  /** Whether somebody waits for a result, and none is under way. */
  isStarved(): boolean;
  /** Takes items that were accepted; they are its own from now on. */
  submit(items: unknown[]): void;
  /** There is no more to read now, or ever. */
  onRead(): void;
}

/** Reads for one map(). */
export class MapReader {
  readonly #engine: Engine;
  readonly #source: Source;
  readonly #owner: ReaderOwner;
  readonly #inChunks: boolean;
  /** No more items come. */
  end: InputEnd | undefined = undefined;
  /** Nobody wants any more. */
  #closed = false;
  /** Items that were read and not submitted: with `chunksize`, the chunk that is being filled. */
  #items: unknown[] = [];
  /** How many are submitted together. */
  #together: number;
  /** Whether somebody reads: one at a time. It is in the middle of it, or waits for an item, for room or for another turn. */
  #reading: undefined | "now" | "item" | "room" | "turn";
  /** Whether it hears of the end of this turn of the event loop, and how much an async input has given in it. */
  #turnArmed = false;
  #readInTurn = 0;

  constructor(engine: Engine, source: Source, chunksize: number, owner: ReaderOwner) {
    this.#engine = engine;
    this.#source = source;
    this.#owner = owner;
    this.#inChunks = chunksize > 1;
    this.#together = chunksize;
  }

  /** Reads items and submits them, as many as are wanted and there is room for. */
  read(): void {
    if (this.#reading) return; // it is seen there how much is wanted now
    this.#reading = "now";
    const { queueLimit } = this.#engine, owner = this.#owner;
    while (!this.#closed && !this.end && owner.wants(this.#items.length)) {
      // A chunk is filled, however much waits.
      if (queueLimit.left <= (this.#inChunks ? 0 : this.#items.length)) return void this.#readWhenThereIsRoom();
      if (this.#source.async) return this.#readAsync();
      try {
        this.#accept(this.#source.next());
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#reading = undefined;
    if (!this.#inChunks) this.#submit();
    owner.onRead();
  }

  /** Somebody waits for a result, and none is under way. */
  starve(): void {
    if (this.#holdsUp) this.#armTurn();
  }

  /** Closes the inputs: nothing is read any more, and what is held is dropped. */
  close(): void {
    this.#closed = true;
    this.#items = [];
    this.#source.close();
  }

  #readAsync(): void {
    this.#armTurn();
    // One that never has to be waited for leaves the program its timers and its results nevertheless.
    this.#reading = this.#readInTurn < LARGEST_SUPPLY ? "item" : "turn";
    if (this.#reading === "item") (this.#source.next() as Promise<unknown>).then(this.#onItem, this.#onError);
  }

  readonly #onItem = (item: unknown) => {
    this.#reading = "now";
    this.#readInTurn++;
    this.#accept(item);
    this.#readOn();
  };

  readonly #onError = (error: unknown) => {
    this.#reading = "now";
    this.#fail(error);
    this.#readOn();
  };

  /** Waits for room in the queue, as a submitter has to (`maxQueue`). */
  async #readWhenThereIsRoom(): Promise<void> {
    if (!this.#inChunks) this.#submit();
    this.#reading = "room";
    await this.#engine.queueLimit.ready();
    this.#engine.queueLimit.leave();
    this.#readOn();
  }

  #readOn(): void {
    this.#reading = undefined;
    this.read();
  }

  #armTurn(): void {
    if (this.#turnArmed) return;
    this.#turnArmed = true;
    setImmediate(this.#onTurnEnd);
  }

  /** What an async input has given in a turn of the event loop goes at the end of it; the first of a chunk, when the rest would be waited for in vain. */
  readonly #onTurnEnd = () => {
    this.#turnArmed = false;
    this.#readInTurn = 0;
    if (!this.#inChunks || this.#holdsUp) this.#submit();
    if (this.#reading === "turn") return this.#readOn();
    if (!this.#inChunks) this.#together = 1;
    this.#owner.onRead();
  };

  /** Whether only the rest of a chunk is waited for, while the input waits, too: perhaps for the results of the first of it. */
  get #holdsUp(): boolean {
    return this.#reading === "item" && this.#items.length > 0 && this.#owner.isStarved();
  }

  /** An item was read, or the end. */
  #accept(item: unknown): void {
    if (this.#closed || this.end) return; // meanwhile
    if (item === END) {
      this.end = { failed: false };
      return this.#submit();
    }
    this.#items.push(item);
    if (this.#items.length >= this.#together) this.#submit();
    else this.#admit();
  }

  #fail(error: unknown): void {
    if (this.#closed || this.end) return;
    this.end = { failed: true, error };
    this.#submit();
  }

  /** Whether items are accepted still. If not, none is read any more. */
  #admit(): boolean {
    try {
      this.#engine.assertOpen();
      return true;
    } catch (error) {
      if (!this.end?.failed) this.end = { failed: true, error };
      this.#items = [];
      this.#source.close();
      return false;
    }
  }

  #submit(): void {
    if (this.#items.length === 0 || !this.#admit()) return;
    const items = this.#items;
    this.#items = [];
    if (!this.#inChunks) this.#together = Math.min(this.#together * 2, LARGEST_SUPPLY);
    this.#owner.submit(items);
  }

  /** What holds whenever code of the user runs. */
  assertInvariants(): void {
    const held = this.#items.length;
    assertInvariant(held < this.#together, "what is complete is submitted");
    assertInvariant(held === 0 || this.#owner.wants(held - 1), "no more is held than was wanted");
    if (this.end || this.#closed) {
      assertInvariant(held === 0 && !this.#source.open, "nothing is held, and no input is open, after the end");
    }
    assertInvariant(this.#reading !== "turn" || this.#turnArmed, "whoever waits for another turn hears of it");
  }
}
