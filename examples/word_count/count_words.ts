// The task. A worker imports this module once; it reads the files itself, so that only names go in and only counts
// come out.

import { task } from "@concurrent/futures";
import { currentTask } from "@concurrent/futures/worker";
import { type Batch, readPiece } from "./batches.ts";

/** How often each word occurs. */
export type Counts = Map<string, number>;

// As a search engine finds them: first words as Unicode defines them (UAX 29), which are found in Japanese text without
// any spaces too, then the parts of each, as most of what lies about here is programs: "HTML" and "element" in HTMLElement.
const WORDS = new Intl.Segmenter("en", { granularity: "word" });
const PARTS = /\p{Lu}?\p{Ll}[\p{Ll}\p{M}'’]*|\p{Lu}+(?!\p{Ll})|[\p{Lo}\p{Lm}\p{M}]+/gu;

// A module's state belongs to the worker that has imported it. Serially that is the program's only thread.
let worker = "main thread";

/** Runs once in each worker, before its first call. */
export const beginWorker = task(import.meta.url, function beginWorker(): void {
  worker = currentTask().workerName;
});

/** Counts the words of a batch, upper and lower case being the same. Tells who did it, and when. */
export const countWords = task(import.meta.url, function countWords(batch: Batch) {
  const began = now();
  const counts: Counts = new Map();
  for (const piece of batch.pieces) {
    for (const { segment, isWordLike } of WORDS.segment(readPiece(piece))) {
      if (!isWordLike) continue;
      for (const [part] of segment.matchAll(PARTS)) {
        const word = part.toLowerCase();
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
  }
  return { counts, worker, began, ended: now(), bytes: batch.bytes };
}, { name: "count_words" }); // what hosts on other machines call this module: see ../cluster/

/** The time on a clock that threads and processes share. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
