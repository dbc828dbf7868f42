// Python's behaviours, by number: each is in the name of a test, or among the differences in docs/from-python.md. And
// Python's names: each is in the table there.
//
//   E errors and constants, X executors (X7: map, X8: shutdown), T threads, I interpreters, P processes, F Future,
//   W wait, A as_completed, L lifetime

import { assertEquals } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const TESTS = fileURLToPath(new URL("..", import.meta.url));

const BEHAVIOURS = [
  ...numbered("E", 8),
  ...numbered("X", 10).flatMap((id) => id === "X7" ? lettered(id, "m") : id === "X8" ? lettered(id, "h") : [id]),
  ...numbered("T", 12),
  ...numbered("I", 4),
  ...numbered("P", 21),
  ...numbered("F", 17),
  ...numbered("W", 7),
  ...numbered("A", 6),
  ...numbered("L", 6),
];

/** The public names of `concurrent.futures`, and what its classes take and have. */
const NAMES = `
  Executor submit map shutdown cancel_futures timeout chunksize buffersize
  ThreadPoolExecutor max_workers thread_name_prefix initializer initargs InterpreterPoolExecutor
  ProcessPoolExecutor mp_context max_tasks_per_child terminate_workers kill_workers
  Future cancel cancelled running done result exception add_done_callback
  set_running_or_notify_cancel set_result set_exception
  wait return_when as_completed FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED
  CancelledError TimeoutError InvalidStateError
  BrokenExecutor BrokenThreadPool BrokenInterpreterPool BrokenProcessPool ExecutionFailed
`.trim().split(/\s+/);

const page = readFileSync(new URL("../../docs/from-python.md", import.meta.url), "utf8");

test("every behaviour of Python has a test, or a line among the differences", () => {
  const differences = tags(sectionOf("## Differences, and why"), /\[([^\]]*)\]/g);
  const tested = new Set(
    testFiles(TESTS).flatMap((file) => [...tags(readFileSync(file, "utf8"), /\[([^\]\n]*)\][`"]/g)]),
  );
  const missing = BEHAVIOURS.filter((id) => !differences.has(id) && !tested.has(id));
  assertEquals(missing, []);
  assertEquals([...differences].filter((id) => !BEHAVIOURS.includes(id)), [], "there are no such behaviours");
});

test("every name of Python is in the table", () => {
  // The text before the first | of a line is empty.
  const cells = sectionOf("## Names").split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|")[1]!);
  const names = new Set(cells.flatMap((cell) => cell.match(/\w+/g) ?? []));
  assertEquals(NAMES.filter((name) => !names.has(name)), []);
});

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${letter}${n + 1}`);
}

function lettered(id: string, last: string): string[] {
  const first = "a".charCodeAt(0);
  return Array.from({ length: last.charCodeAt(0) - first + 1 }, (_, n) => id + String.fromCharCode(first + n));
}

/** The numbers within brackets. */
function tags(text: string, brackets: RegExp): Set<string> {
  return new Set(
    [...text.matchAll(brackets)].flatMap(([, inside]) => inside!.match(/\b[EXTIPFWAL]\d+[a-m]?\b/g) ?? []),
  );
}

function sectionOf(heading: string): string {
  const [, rest] = page.split(`\n${heading}`);
  return rest!.split("\n## ")[0]!;
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? testFiles(path) : path.endsWith(".ts") ? [path] : [];
  });
}
