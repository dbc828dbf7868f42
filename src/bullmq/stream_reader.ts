// Reads a stream of Redis from a given entry on, through a connection of its own, and goes on when that is lost.

import type { Redis } from "ioredis";
import { type Deferred, deferred } from "../future/deferred.ts";
import { background } from "./background.ts";
import { isConnectionError, longestBlock } from "./connection.ts";

/** How long Redis waits for an entry before it answers that there is none, in milliseconds, unless the connection has less time. */
const BLOCK = 5000;

/** Without an answer for this long the connection counts as dead, in milliseconds. */
const SILENCE = 3 * BLOCK;

/** Maximum number of entries in one answer. */
const MOST = 1000;

/** The pause after an error, in milliseconds. */
const PAUSE = 100;

/**
 * How long nobody has to want entries before the reader rests, in milliseconds: a program that awaits one call after another
 * does not make it look for the end of the stream each time.
 */
const REST_AFTER = 1000;

/** Called with the fields of an entry: names and values in turn. */
export type EntryHandler = (fields: readonly string[]) => void;

/** An entry: its id, and its fields. */
type Entry = readonly [id: string, fields: readonly string[]];

/**
 * Reads one stream.
 *
 * invariant: it rests only while nobody wants entries, and {@linkcode wake} is called before anybody does.
 */
export class StreamReader {
  readonly #client: Redis;
  readonly #key: string;
  readonly #handle: EntryHandler;
  readonly #onError: (error: unknown) => void;
  readonly #isWanted: () => boolean;
  /** Since when nobody wants entries, as far as was seen. */
  #idleSince = Infinity;
  /** Resolves when it has rested enough. */
  #rest: Deferred<void> | undefined;
  #isWaking = false;
  #position: string;
  #ended = false;
  /** When Redis answered last. */
  #heard = performance.now();

  /**
   * @param client A connection that nothing else uses; the reader ends it.
   * @param key The stream's key.
   * @param from The entry after which to begin.
   * @param handle Called with each entry.
   * @param onError Called with what Redis refuses, and with what `handle` throws.
   * @param isWanted Whether anybody wants entries now. When nobody has for a while, the reader rests with the next ones: to read
   *   the entries of others takes 0.06 ms of processor time for each of their calls (Node 24).
   */
  constructor(
    client: Redis,
    key: string,
    from: string,
    handle: EntryHandler,
    onError: (error: unknown) => void,
    isWanted: () => boolean = () => true,
  ) {
    this.#client = client;
    this.#key = key;
    this.#position = from;
    this.#handle = handle;
    this.#onError = onError;
    this.#isWanted = isWanted;
    background(this.#read(), onError);
  }

  /** Connects again if Redis has been silent for too long: a connection can die without an error. */
  check(): void {
    if (this.#rest || performance.now() - this.#heard < SILENCE) return;
    this.#heard = performance.now();
    this.#client.disconnect(true);
  }

  /**
   * Goes on, if it rests, after what is in the stream now. What leads to entries is asked for after this, on the same connection:
   * Redis keeps the order.
   *
   * @param client A connection.
   */
  wake(client: Redis): void {
    const rest = this.#rest;
    if (!rest || this.#isWaking) return;
    this.#isWaking = true;
    const goOn = () => {
      this.#rest = undefined;
      this.#isWaking = false;
      this.#heard = performance.now();
      rest.resolve();
    };
    // Without an answer it goes on from where it was.
    endOfStream(client, this.#key).then((end) => this.#position = end).then(goOn, goOn);
  }

  /** Whether entries may be gone that were not read, when `first` is the oldest in the stream. */
  missed(first: string | undefined): boolean {
    return first !== undefined && compare(first, this.#position) > 0 && this.#position !== START;
  }

  /** Ends the reader and its connection. */
  end(): void {
    this.#ended = true;
    this.#client.disconnect();
  }

  /**
   * Reads to the end now. An end that lies before what was read is that of another stream: the old one is lost, or the clock
   * of Redis was put back. That one is read from its beginning.
   *
   * @param client Another connection, as the reader's own may be late.
   */
  async catchUp(client: Redis): Promise<void> {
    const another = compare(await endOfStream(client, this.#key), this.#position) < 0;
    let from = another ? START : this.#position;
    for (;;) {
      const answer = await client.xread("COUNT", MOST, "STREAMS", this.#key, from);
      const entries = answer?.[0]?.[1] ?? [];
      if (another) { for (const entry of entries) this.#take(entry); }
      else this.#takeNew(entries);
      from = entries.at(-1)?.[0] ?? from;
      if (entries.length < MOST) break;
    }
    if (another) this.#position = from;
  }

  /** Takes the entries that were not read before; they are in order. */
  #takeNew(entries: readonly Entry[]): void {
    const first = entries.findIndex(([id]) => compare(id, this.#position) > 0);
    if (first < 0) return;
    for (let i = first; i < entries.length; i++) this.#take(entries[i]!);
  }

  #take([id, fields]: Entry): void {
    this.#position = id;
    try {
      this.#handle(fields);
    } catch (error) {
      this.#onError(error);
    }
  }

  async #restIfIdle(): Promise<void> {
    const now = performance.now();
    if (this.#isWanted()) this.#idleSince = Infinity;
    else this.#idleSince = Math.min(this.#idleSince, now);
    if (now - this.#idleSince < REST_AFTER) return;
    this.#rest = deferred();
    await this.#rest.promise;
    this.#idleSince = Infinity;
  }

  async #read(): Promise<void> {
    const block = Math.min(BLOCK, longestBlock(this.#client));
    while (!this.#ended) {
      try {
        const from = this.#position;
        const answer = await this.#client.xread("COUNT", MOST, "BLOCK", block, "STREAMS", this.#key, from);
        this.#heard = performance.now();
        const entries = answer?.[0]?.[1] ?? [];
        if (this.#position === from) { for (const entry of entries) this.#take(entry); }
        else this.#takeNew(entries); // some were read meanwhile, through another connection
        await this.#restIfIdle();
      } catch (error) {
        if (this.#ended) return;
        // If the connection was lost, the client connects again, and the stream keeps its entries meanwhile.
        if (!isConnectionError(error)) this.#onError(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }
}

/** The position before every entry. */
const START = "0-0";

/**
 * Finds the position after the last entry of a stream.
 *
 * @param client A connection.
 * @param key The stream's key.
 */
export async function endOfStream(client: Redis, key: string): Promise<string> {
  const [last] = await client.xrevrange(key, "+", "-", "COUNT", 1);
  return last?.[0] ?? START;
}

/** Compares two ids of entries, `milliseconds-number`. */
function compare(a: string, b: string): number {
  const [a1, a2] = a.split("-").map(Number) as [number, number];
  const [b1, b2] = b.split("-").map(Number) as [number, number];
  return a1 - b1 || a2 - b2;
}
