// deno-lint-ignore-file no-console -- it prints
// Counts of several runs, side by side.

import type { Counts } from "./verdict.ts";

/**
 * Prints a table: a row for each kind, a column for each run.
 *
 * @param title What is counted.
 * @param runs The counts of each run, by its name.
 */
export function showCounts(title: string, runs: Readonly<Record<string, Counts>>): void {
  const kinds = [...new Set(Object.values(runs).flatMap(Object.keys))].sort();
  const row = (kind: string) => Object.entries(runs).map(([name, counts]) => [name, counts[kind] ?? 0]);
  console.log(`\n${title}`);
  console.table(Object.fromEntries(kinds.map((kind) => [kind, Object.fromEntries(row(kind))])));
}
