// What the task enter() has written.

import { readFileSync } from "node:fs";

/** How often each number was entered. */
export function entryCounts(ledger: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const line of readFileSync(ledger, "utf8").split("\n").slice(0, -1)) {
    counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1);
  }
  return counts;
}
