// Reads a stream of Redis from a given entry on, through a connection of its own, and goes on when that is lost.

import type { Redis } from "ioredis";
import { background } from "./background.ts";
import { isConnectionError } from "./connection.ts";

/** How long Redis waits for an entry before it answers that there is none, in milliseconds. */
const BLOCK = 5000;

/** Without an answer for this long the connection counts as dead, in milliseconds. */
const SILENCE = 3 * BLOCK;

/** Maximum number of entries in one answer. */
const MOST = 1000;

/** The pause after an error, in milliseconds. */
const PAUSE = 100;

/** Called with the fields of an entry: names and values in turn. */
export type EntryHandler = (fields: readonly string[]) => void;

/** Reads one stream. */
export class StreamReader {
  readonly #client: Redis;
  readonly #key: string;
  readonly #handle: EntryHandler;
  readonly #onError: (error: unknown) => void;
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
   */
  constructor(client: Redis, key: string, from: string, handle: EntryHandler, onError: (error: unknown) => void) {
    this.#client = client;
    this.#key = key;
    this.#position = from;
    this.#handle = handle;
    this.#onError = onError;
    background(this.#read(), onError);
  }

  /** Connects again if Redis has been silent for too long: a connection can die without an error. */
  check(): void {
    if (performance.now() - this.#heard < SILENCE) return;
    this.#heard = performance.now();
    this.#client.disconnect(true);
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
      for (const [id, fields] of entries) {
        if (another || compare(id, this.#position) > 0) this.#take(id, fields);
        from = id;
      }
      if (entries.length < MOST) break;
    }
    if (another) this.#position = from;
  }

  #take(id: string, fields: readonly string[]): void {
    this.#position = id;
    try {
      this.#handle(fields);
    } catch (error) {
      this.#onError(error);
    }
  }

  async #read(): Promise<void> {
    while (!this.#ended) {
      try {
        const answer = await this.#client.xread("COUNT", MOST, "BLOCK", BLOCK, "STREAMS", this.#key, this.#position);
        this.#heard = performance.now();
        for (const [id, fields] of answer?.[0]?.[1] ?? []) {
          if (compare(id, this.#position) > 0) this.#take(id, fields);
        }
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
