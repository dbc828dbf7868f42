// What the demo prints at its end.

import type { Counts, Text } from "./count_words.ts";
import type { Run } from "./show/timeline.ts";

const TOP_WORDS = 10;

/** The words that occur most often. */
export function wordTable(counts: Counts): string {
  const top = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, TOP_WORDS);
  return table(["word", "count"], top.map(([word, count]) => [word, number(count)]));
}

/** What each run took; the first is what the others are compared with. */
export function timeTable(runs: readonly Run[]): string {
  const rows = runs.map(({ name, milliseconds, calls }) => [
    name,
    `${(milliseconds / 1_000).toFixed(2)} s`,
    `${(runs[0]!.milliseconds / milliseconds).toFixed(2)} x`,
    String(new Set(calls.map((call) => call.worker)).size),
  ]);
  return table(["run", "time, start-up included", "speed-up", "workers"], rows);
}

/** `2 cores: 1.84 x with threads, 1.79 x with processes`: what is the same on a slow machine and a fast one. */
export function speedUps(cores: number, [first, ...others]: readonly Run[]): string {
  const factors = others.map(({ name, milliseconds }) =>
    `${(first!.milliseconds / milliseconds).toFixed(2)} x with ${name}`
  );
  return `${cores} ${cores === 1 ? "core" : "cores"}: ${factors.join(", ")}`;
}

/** Where two countings of a text differ, if they do: in letters, in sentences, or in how often they found a word. */
export function firstDifference(expectedText: Text, actualText: Text): string | undefined {
  for (const what of ["letters", "sentences"] as const) {
    const wanted = expectedText[what], found = actualText[what];
    if (wanted !== found) return `${number(found)} ${what}, not ${number(wanted)}`;
  }
  const expected = expectedText.counts, actual = actualText.counts;
  for (const word of new Set([...expected.keys(), ...actual.keys()])) {
    const wanted = expected.get(word) ?? 0, found = actual.get(word) ?? 0;
    if (wanted !== found) return `'${word}' ${number(found)} times, not ${number(wanted)}`;
  }
}

/** `1,789,508 words of 4.9 letters, 24,130 different ones, in 63,776 sentences` */
export function describeText({ counts, letters, sentences }: Text): string {
  const words = counts.values().reduce((sum, count) => sum + count, 0);
  return `${number(words)} words of ${(letters / words).toFixed(1)} letters, ${number(counts.size)} different ones, ` +
    `in ${number(sentences)} sentences`;
}

/** `12,345` */
export function number(value: number): string {
  return value.toLocaleString("en");
}

/** `24.3 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Words to the left, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const print = (line: readonly string[]) =>
    line.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join(
      "   ",
    );
  return [print(head), widths.map((width) => "─".repeat(width)).join("   "), ...rows.map(print)].join("\n");
}
