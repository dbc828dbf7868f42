// The table of docs/runtimes.md: what works behind each tool. Tests that have run a tool write its row, so that nothing stands
// there that nobody has seen.
//
// A test calls `recordRows("bundlers", rows)` with what it saw. That compares the rows with `tests/package/reach/bundlers.json`,
// and fails when they differ. With FUTURES_REACH=write in the environment it writes that file, and the table, instead:
//
//   FUTURES_REACH=write deno task test bundlers
//
// tests/package/reach_test.ts, which is quick, checks that the table is made of these files.

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The columns after the tool: three kinds of tasks, two kinds of workers. */
export const COLUMNS = ["inline", "task", "taskModule", "threads", "processes"] as const;
export type Column = typeof COLUMNS[number];

/**
 * What is in a cell, in Markdown: `works`; `error`, when it is refused by an error that says what to add; or a link to what
 * one has to add, such as `[entry](#a-worker-of-your-own)`. A word or two may follow: `works on Node`.
 */
export type Cell = string;

/** A row of the table. */
export interface Row extends Readonly<Record<Column, Cell>> {
  /** The tool and how it is used, with the version that was run: "esbuild 0.28, one file". */
  readonly tool: string;
}

const FOLDER = fileURLToPath(new URL("./reach/", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/runtimes.md", import.meta.url));
const BEGIN = "<!-- The tests write this table: tests/package/reach_table.ts -->";
const END = "<!-- The end of the table. -->";

/**
 * Compares what a test has seen with the rows that are written down, or writes them down.
 *
 * @param name The name of the file, without `.json`. Its rows stay together in the table, and files are in the order of names.
 * @param rows All rows of that file, or those of some tools: a test that cannot run all of them here compares what it ran.
 */
export function recordRows(name: string, rows: readonly Row[]): void {
  for (const row of rows) assertWhole(row);
  const path = join(FOLDER, `${name}.json`);
  const known: Row[] = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
  if (process.env.FUTURES_REACH !== "write") {
    const saw = new Set(rows.map(({ tool }) => tool));
    return assertEquals(rows, known.filter(({ tool }) => saw.has(tool)), `${path} says otherwise`);
  }
  // Rows stay where they are, and new ones follow.
  const all = new Map([...known, ...rows].map((row) => [row.tool, row]));
  writeFileSync(path, JSON.stringify([...all.values()], null, 2) + "\n");
  writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8")));
}

/** Checks that the table of docs/runtimes.md is made of what the tests have written. */
export function checkTable(): void {
  const page = readFileSync(PAGE, "utf8");
  assertStrictEquals(
    page,
    withTable(page),
    `the table of ${PAGE} is not up to date: FUTURES_REACH=write deno task test reach`,
  );
}

/** The page with its table made anew. */
function withTable(page: string): string {
  const before = page.split(BEGIN), after = page.split(END);
  assert(before.length === 2 && after.length === 2, `${PAGE} has lost the marks around its table`);
  return `${before[0]}${BEGIN}\n\n${table()}\n\n${END}${after[1]}`;
}

/** The table, aligned as `deno fmt` does it. */
function table(): string {
  const rows = readdirSync(FOLDER).filter((file) => file.endsWith(".json")).sort()
    .flatMap((file) => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Row[]);
  for (const row of rows) assertWhole(row);
  const head = ["Tool", ...COLUMNS.map((name) => /^task/.test(name) ? `\`${name}\`` : name)];
  const cells = [head, ...rows.map((row) => [row.tool, ...COLUMNS.map((column) => row[column])])];
  const widths = head.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const line = (parts: readonly string[]) => `| ${parts.map((part, i) => part.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...cells.slice(1).map(line)].join("\n");
}

function assertWhole(row: Row): void {
  for (const column of ["tool", ...COLUMNS] as const) {
    assertMatch(
      row[column] ?? "",
      /^[^|\n]+$/,
      `the cell '${column}' of ${JSON.stringify(row.tool)} is empty or no cell`,
    );
  }
}

/** What came of one kind of task in one kind of worker: its result was right, or the message of the error. */
export type Outcome = { readonly works: true } | { readonly works: false; readonly error: string };

/** The outcomes of a program that tries each kind of task in each kind of worker. */
export type Outcomes = Readonly<
  Record<"threads" | "processes", Readonly<Record<"inline" | "task" | "taskModule", Outcome>>>
>;

/**
 * Makes a row of outcomes. A kind of worker works when any task does in it; a kind of task works when it does in each kind of
 * worker that works.
 *
 * @param tool The first cell.
 * @param outcomes What was seen.
 * @param how What stands for `works` in a column where something has to be added: a link to it.
 */
export function rowOf(tool: string, outcomes: Outcomes, how: Partial<Record<Column, Cell>> = {}): Row {
  const kinds = ["threads", "processes"] as const, tasks = ["inline", "task", "taskModule"] as const;
  const running = kinds.filter((kind) => tasks.some((name) => outcomes[kind][name].works));
  const works = (column: Column) => how[column] ?? "works";
  const cells = new Map<Column, Cell>();
  for (const kind of kinds) cells.set(kind, running.includes(kind) ? works(kind) : "error");
  for (const name of tasks) {
    const here = running.filter((kind) => outcomes[kind][name].works);
    const cell = here.length === 0 ? "error" : works(name);
    cells.set(name, here.length === running.length || here.length === 0 ? cell : `${cell} in ${here}, else error`);
  }
  return { tool, ...Object.fromEntries(cells) } as unknown as Row;
}
