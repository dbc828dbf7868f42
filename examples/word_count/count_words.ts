// The task. A worker imports this module once; it reads the files itself, so that only names go in and only counts
// come out.

import { currentTask, task } from "@concurrent/futures/task";
import { type Batch, readPiece } from "./batches.ts";

/** How often each word occurs. */
export type Counts = Map<string, number>;

/** A text in numbers. */
export interface Text {
  readonly counts: Counts;
  /** Of all words: letters as a reader sees them, each with its accents. */
  readonly letters: number;
  /** Sentences with a word in them. */
  readonly sentences: number;
}

// Sentences, words and letters as Unicode defines them (UAX 29): a dot within "3.5" ends nothing, and words are found in
// Japanese text without any spaces. Then the parts of each word, for names in programs: "HTML" and "element" in HTMLElement.
const SENTENCES = new Intl.Segmenter("en", { granularity: "sentence" });
const WORDS = new Intl.Segmenter("en", { granularity: "word" });
const LETTERS = new Intl.Segmenter("en", { granularity: "grapheme" });
const PARTS = /\p{Lu}?\p{Ll}[\p{Ll}\p{M}'’]*|\p{Lu}+(?!\p{Ll})|[\p{Lo}\p{Lm}\p{M}]+/gu;

// A module's state belongs to the worker that has imported it. Serially that is the program itself.
let worker = "";

/** Runs once in each worker, before its first call. */
export const beginWorker = task(import.meta.url, function beginWorker(): void {
  worker = currentTask().workerName;
});

/** Counts what a batch has, and reports the bytes of each piece when that is done. */
export const countBatch = task(import.meta.url, function countBatch(batch: Batch) {
  return countWords(batch, (bytes) => currentTask().report(bytes));
}, { module: "count_words" }); // what hosts on other machines call this module: see ../cluster/

/** Counts what a batch has of words, letters and sentences, upper and lower case being the same. Tells who did it, and when. */
export function countWords(batch: Batch, onCounted: (bytes: number) => void = () => {}) {
  const began = now();
  const counts: Counts = new Map();
  let letters = 0, sentences = 0;
  for (const piece of batch.pieces) {
    for (const sentence of SENTENCES.segment(readPiece(piece))) {
      const found = countIn(sentence.segment, counts);
      letters += found;
      if (found > 0) sentences++;
    }
    onCounted(piece.to - piece.from);
  }
  return { counts, letters, sentences, worker, began, ended: now(), bytes: batch.bytes };
}

/** Adds the words of a sentence to `counts`; returns how many letters they have. */
function countIn(sentence: string, counts: Counts): number {
  let letters = 0;
  for (const { segment, isWordLike } of WORDS.segment(sentence)) {
    if (!isWordLike) continue;
    for (const [part] of segment.matchAll(PARTS)) {
      const word = part.toLowerCase();
      counts.set(word, (counts.get(word) ?? 0) + 1);
      for (const _letter of LETTERS.segment(part)) letters++;
    }
  }
  return letters;
}

/** The time on a clock that threads and processes share. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
