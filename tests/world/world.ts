// Runs small programs as users do: in a folder of their own with the package installed, by the command of this runtime, and
// with both executors.

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type Runtime, runtime } from "../support/runtime.ts";
import { install } from "../package/docs_programs.ts";
import { CEILING } from "../support/until.ts";

/** The names of the two executors. */
export const EXECUTORS = ["ThreadPoolExecutor", "ProcessPoolExecutor"] as const;
export type ExecutorName = typeof EXECUTORS[number];

/** The first line of most programs: imports the executor's class as `Executor`. */
export const HEAD = `import { EXECUTOR as Executor } from "@concurrent/futures";\n`;

/** The arguments with which this runtime runs `main.ts`. */
export const RUN: readonly string[] = runtime === "deno" ? ["run", "-A", "--no-check", "main.ts"] : ["main.ts"];

/** A program, and what it must do. */
export interface Program {
  /** What it shows, as the rest of the test's name. */
  readonly name: string;
  /** Its files. In each, `EXECUTOR` stands for the name of the executor's class. */
  readonly files: Readonly<Record<string, string>>;
  /** Arguments other than {@linkcode RUN}, by runtime. Runtimes that are absent skip the program. */
  readonly args?: Readonly<Partial<Record<Runtime, readonly string[]>>>;
  /** The runtimes that it is for; all by default. */
  readonly on?: readonly Runtime[];
  /** The executors that it is for; both by default. */
  readonly executors?: readonly ExecutorName[];
  readonly stdin?: string;
  /** Changes of its environment; `undefined` removes a name. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What it prints, apart from white space at both ends, or a pattern of it. */
  readonly prints: string | RegExp;
  /** What it writes to stderr; nothing by default. */
  readonly complains?: RegExp;
  /** Its exit code; 0 by default. */
  readonly code?: number;
}

/** How a program ended. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | string;
}

/** Registers a test of each program with each executor. */
export function programs(rows: readonly Program[]): void {
  for (const row of rows) {
    if (row.on && !row.on.includes(runtime)) continue;
    if (row.args && !row.args[runtime]) continue;
    for (const executor of row.executors ?? EXECUTORS) {
      test(`${executor}: ${row.name}`, async () => {
        const folder = makeFolder(row.files, executor);
        try {
          expectEnd(await runIn(folder, row.args?.[runtime] ?? RUN, row), row);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      });
    }
  }
}

/** Makes a folder with a program's files and the package. */
export function makeFolder(files: Program["files"], executor: ExecutorName): string {
  const folder = mkdtempSync(join(tmpdir(), "futures-world-"));
  install(folder);
  for (const [name, code] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code.replaceAll("EXECUTOR", executor));
  }
  return folder;
}

/** Runs this runtime in a folder to its end. A program that does not end is killed with all that it has started. */
export function runIn(
  folder: string,
  args: readonly string[],
  { stdin, env: more, command = process.execPath }: Pick<Program, "stdin" | "env"> & { readonly command?: string } = {},
): Promise<Ended> {
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...inherited } = process.env;
  const env: Record<string, string | undefined> = { ...inherited, NO_COLOR: "1", ...more };
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name];
  // A process group of its own, so that programs which it starts are killed with it.
  const detached = process.platform !== "win32";
  const child = spawn(command, [...args], { cwd: folder, env: env as NodeJS.ProcessEnv, detached });
  let stdout = "", stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  child.stdin.on("error", () => {}); // the program has ended without reading
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stderr += `\nThe program had not ended after ${CEILING / 1000} s`;
      process.kill(detached ? -child.pid! : child.pid!, "SIGKILL");
    }, CEILING);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ stdout, stderr, code: signal ?? code ?? 0 });
    });
  });
}

/** Checks how a program has ended. */
export function expectEnd(
  ended: Ended,
  { prints, complains, code = 0 }: Pick<Program, "prints" | "complains" | "code">,
): void {
  const { stdout, stderr } = ended;
  const all = `\n--- stdout\n${stdout.slice(-2000)}\n--- stderr\n${stderr.slice(-4000)}`;
  if (typeof prints === "string") assertStrictEquals(stdout.trim(), prints.trim(), all);
  else assertMatch(stdout, prints, all);
  if (complains) assertMatch(stderr, complains, all);
  else assertEquals(stderr, "", all);
  assertStrictEquals(ended.code, code, all);
}
