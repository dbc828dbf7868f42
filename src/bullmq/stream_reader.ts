// Reads a stream of Redis from a given entry on, on a connection of its own, over whatever happens to that connection.

import type { Redis } from "ioredis";

/** How long Redis waits for an entry before it says that there is none, in milliseconds: so that silence is noticed. */
const BLOCK = 5000;

/** Without any answer for so long, the connection is taken for dead, in milliseconds. */
const SILENCE = 3 * BLOCK;

/** Entries that are read in one go. */
const MOST = 1000;

/** The pause after an error, in milliseconds. */
const PAUSE = 100;

/** Gets the fields of an entry, names and values in turn. */
export type EntryHandler = (fields: readonly string[]) => void;

/** The reader of one stream. */
export class StreamReader {
  readonly #client: Redis;
  readonly #key: string;
  readonly #handle: EntryHandler;
  #position: string;
  #ended = false;
  #heard = performance.now();

  /**
   * @param client A connection, for this alone; it is the reader's from now on.
   * @param key The stream.
   * @param from The entry after which it begins.
   * @param handle Is called with each entry.
   */
  constructor(client: Redis, key: string, from: string, handle: EntryHandler) {
    this.#client = client;
    this.#key = key;
    this.#position = from;
    this.#handle = handle;
    void this.#read();
  }

  /** Notices a connection that is dead without having said so. */
  check(): void {
    if (performance.now() - this.#heard < SILENCE) return;
    this.#heard = performance.now();
    this.#client.disconnect(true);
  }

  /** Whether entries may have gone before they were read: `first` is the oldest that there is. */
  missed(first: string | undefined): boolean {
    return first !== undefined && compare(first, this.#position) > 0 && this.#position !== START;
  }

  /** Ends it. */
  end(): void {
    this.#ended = true;
    this.#client.disconnect();
  }

  async #read(): Promise<void> {
    while (!this.#ended) {
      try {
        const answer = await this.#client.xread("COUNT", MOST, "BLOCK", BLOCK, "STREAMS", this.#key, this.#position);
        this.#heard = performance.now();
        for (const [id, fields] of answer?.[0]?.[1] ?? []) {
          this.#position = id;
          this.#handle(fields);
        }
      } catch {
        // The connection was lost in the middle: it is made anew, and nothing of the stream is lost with it.
        if (!this.#ended) await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }
}

/** The position before every entry. */
const START = "0-0";

/**
 * The position after the last entry of a stream.
 *
 * @param client A connection.
 * @param key The stream.
 */
export async function endOfStream(client: Redis, key: string): Promise<string> {
  const [last] = await client.xrevrange(key, "+", "-", "COUNT", 1);
  return last?.[0] ?? START;
}

/** The order of two ids, `milliseconds-number`. */
function compare(a: string, b: string): number {
  const [a1, a2] = a.split("-").map(Number) as [number, number];
  const [b1, b2] = b.split("-").map(Number) as [number, number];
  return a1 - b1 || a2 - b2;
}
