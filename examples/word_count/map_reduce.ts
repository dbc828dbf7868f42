// The one body of the program: the same for every executor, none of which it knows.

import type { MapOptions } from "@concurrent/futures";
import type { Batch } from "./batches.ts";
import { countBatch, type Counts, type Text } from "./count_words.ts";

/** What is to be done, and by how many workers. */
export interface Job {
  readonly batches: readonly Batch[];
  readonly workers: number;
  /** Is told of each piece of text that was counted, and how long it was in bytes. Hosts elsewhere report nothing. */
  readonly onProgress?: (bytes: number) => void;
}

/** Who made a call, and when, in milliseconds on the clock that all workers share. */
export interface CallRecord {
  readonly worker: string;
  readonly began: number;
  readonly ended: number;
  readonly bytes: number;
}

/** The job's result. */
export interface Counted extends Text {
  readonly calls: readonly CallRecord[];
}

/** What is needed of an executor. */
export interface Mapper {
  with(options: { readonly onReport?: ((value: unknown) => void) | undefined }): {
    map<A, R>(fn: (item: A) => R, items: Iterable<A>, options?: MapOptions): AsyncIterable<Awaited<R>>;
  };
}

/** Counts the words of each batch on a worker, and adds the counts up here as they come. */
export async function mapReduce(executor: Mapper, { batches, onProgress }: Job): Promise<Counted> {
  const counts: Counts = new Map();
  const calls: CallRecord[] = [];
  let letters = 0, sentences = 0;
  const view = executor.with({ onReport: onProgress && ((bytes) => onProgress(Number(bytes))) });
  for await (
    const { counts: some, letters: moreLetters, sentences: moreSentences, ...call } of view.map(
      countBatch,
      batches,
      { ordered: false },
    )
  ) {
    for (const [word, count] of some) counts.set(word, (counts.get(word) ?? 0) + count);
    letters += moreLetters;
    sentences += moreSentences;
    calls.push(call);
  }
  return { counts, letters, sentences, calls };
}
