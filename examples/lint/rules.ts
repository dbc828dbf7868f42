// The task of the linter: reads a file, and finds what its rules forbid. It runs in a process.

import { task } from "@concurrent/futures/task";
import { readFile } from "node:fs/promises";

const RULES: Record<string, RegExp> = { "no-console": /\bconsole\./, "no-var": /\bvar /, "no-todo": /TODO/ };

export const check = task(import.meta.url, async function check(file: string): Promise<string[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  return lines.flatMap((line, i) =>
    Object.keys(RULES).filter((rule) => RULES[rule]!.test(line)).map((rule) => `line ${i + 1}: ${rule}`)
  );
});
