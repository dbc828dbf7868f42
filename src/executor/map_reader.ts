// Reads the inputs of a map() as far ahead as it may, and submits their items in groups.
//
// Inputs are code of the user and may do anything while they are read or closed, such as end the iteration. So whenever they
// run, everything that assertInvariants() lists holds, and after they have run, `#closed` and `end` are read again.

import type { Engine } from "./engine.ts";
import { assertInvariant } from "../invariant.ts";
import { atNextTurn } from "../wire/blocking.ts";
import { END, type Source } from "./zip.ts";

/** Maximum number of items that are queued together: first one, so that it starts at once, then twice as many each time. */
const LARGEST_SUPPLY = 1024;

/** How the inputs have ended: by themselves, or with an error. */
export type InputEnd = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

/** What the reader asks of its map(). */
export interface ReaderOwner {
  /** Throws when no more calls are taken. */
  assertOpen(): void;
  /** Whether one more item may be read when `held` are read and not submitted. */
  wants(held: number): boolean;
  /** Whether somebody waits for a result, and no item is submitted. */
  isStarved(): boolean;
  /** Takes items that were read, as an array of its own. */
  submit(items: unknown[]): void;
  /** There is no more to read, for now or for ever. */
  onRead(): void;
}

/** Reads the inputs of one map(). */
export class MapReader {
  readonly #engine: Engine;
  readonly #source: Source;
  readonly #owner: ReaderOwner;
  readonly #inChunks: boolean;
  /** How the inputs have ended; `undefined` while more items may come. */
  end: InputEnd | undefined = undefined;
  /** Nobody wants more items. */
  #closed = false;
  /** Items that are read and not submitted: with `chunksize`, the chunk that is being filled. */
  #items: unknown[] = [];
  /** How many are submitted together. */
  #together: number;
  /** What the one reader does: it reads now, or waits for an item, for a place in the queue or for another turn. */
  #reading: undefined | "now" | "item" | "room" | "turn";
  /** Whether onTurnEnd() will be called in this turn of the event loop, and how many items an async input has given in it. */
  #turnArmed = false;
  #readInTurn = 0;
  /** More is wanted, and is to be read at the end of the turn. */
  #isLate = false;

  constructor(engine: Engine, source: Source, chunksize: number, owner: ReaderOwner) {
    this.#engine = engine;
    this.#source = source;
    this.#owner = owner;
    this.#inChunks = chunksize > 1;
    this.#together = chunksize;
  }

  /** Whether an input is async. */
  get async(): boolean {
    return this.#source.async;
  }

  /** Reads items and submits them, as many as are wanted and there is room for. */
  read(): void {
    this.#isLate = false;
    if (this.#reading) return; // that reader sees how much is wanted now
    this.#reading = "now";
    const { queueLimit } = this.#engine, owner = this.#owner;
    while (!this.#closed && !this.end && owner.wants(this.#items.length)) {
      // A chunk is filled, even beyond the limit.
      if (queueLimit.left <= (this.#inChunks ? 0 : this.#items.length)) return this.#readWhenThereIsRoom();
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

  /** Reads on at the end of this turn of the event loop, if not before. */
  readAtTurnEnd(): void {
    this.#isLate = true;
    if (!this.#reading && !this.end) this.#armTurn();
  }

  /** Reads on now, if that is to be done at the end of the turn. */
  readNow(): void {
    if (this.#isLate) this.read();
  }

  /** Somebody waits for a result, and no item is submitted. */
  starve(): void {
    if (this.#holdsUp) this.#armTurn();
  }

  /** Closes the inputs; items that are not submitted are dropped. */
  close(): void {
    this.#closed = true;
    this.#items = [];
    this.#source.close();
  }

  #readAsync(): void {
    this.#armTurn();
    // An input that always has an item leaves the program its timers and its results nevertheless.
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

  /** Waits for a place in the queue (`maxQueue`), as those who submit do. */
  #readWhenThereIsRoom(): void {
    if (!this.#inChunks) this.#submit();
    this.#reading = "room";
    const { queueLimit } = this.#engine;
    queueLimit.whenReady(() => {
      queueLimit.leave();
      this.#readOn();
    });
  }

  #readOn(): void {
    this.#reading = undefined;
    this.read();
  }

  #armTurn(): void {
    if (this.#turnArmed) return;
    this.#turnArmed = true;
    atNextTurn(this.#onTurnEnd);
  }

  /**
   * Submits what an async input has given in a turn of the event loop, at its end; of a chunk only if waiting for the rest
   * would hold up everything.
   */
  readonly #onTurnEnd = () => {
    this.#turnArmed = false;
    this.#readInTurn = 0;
    if (!this.#inChunks || this.#holdsUp) this.#submit();
    if (this.#reading === "turn") return this.#readOn();
    if (this.#isLate) return this.read();
    if (!this.#inChunks) this.#together = 1;
    this.#owner.onRead();
  };

  /** Whether the reader waits for the rest of a chunk while the input may wait for the results of its first items. */
  get #holdsUp(): boolean {
    return this.#reading === "item" && this.#items.length > 0 && this.#owner.isStarved();
  }

  /** An item was read, or {@linkcode END}. */
  #accept(item: unknown): void {
    if (this.#closed || this.end) return; // it has ended meanwhile
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

  /** Whether calls are still taken. If not, reading ends with its error. */
  #admit(): boolean {
    try {
      this.#owner.assertOpen();
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
    assertInvariant(held < this.#together, "a complete group is submitted");
    assertInvariant(held === 0 || this.#owner.wants(held - 1), "no more is held than was wanted");
    if (this.end || this.#closed) {
      assertInvariant(held === 0 && !this.#source.open, "nothing is held, and no input is open, after the end");
    }
    assertInvariant(this.#reading !== "turn" || this.#turnArmed, "whoever waits for another turn hears of it");
  }
}
