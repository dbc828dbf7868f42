// Tasks that use up what a worker may use.

import { task } from "../../mod.ts";

const kept: unknown[] = [];

/** Keeps so many MiB for ever. Returns how often it has run in this worker. */
export const keepMemory = task(import.meta.url, function keepMemory(mebibytes: number): number {
  const part: number[][] = [];
  for (let n = 0; n < mebibytes; n++) part.push(new Array(2 ** 17).fill(0.5));
  return kept.push(part);
});
