// Reads the file to which the task enter() appends its numbers.

import { readFileSync } from "node:fs";

/** Counts how often each number was entered. */
export function entryCounts(ledger: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const line of readFileSync(ledger, "utf8").split("\n").slice(0, -1)) {
    counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1);
  }
  return counts;
}
