// The task: converts a text, line by line, and reports how far it has come.

import { currentTask, task } from "@concurrent/futures/task";

/** Converts a text, and reports how much of it is done: from 0 to 1. */
export const convert = task(import.meta.url, function convert(text: string): string {
  const lines = text.split("\n"), { report } = currentTask();
  return lines.map((line, n) => {
    report((n + 1) / lines.length);
    return line.toUpperCase();
  }).join("\n");
});
