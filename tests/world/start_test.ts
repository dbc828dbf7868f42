// Programs can be started in every way and with every flag that works without this package. Otherwise the error says what
// to do, and the program ends all the same.

import { tmpdir } from "node:os";
import process from "node:process";
import { runtime } from "../support/runtime.ts";
import { type Program, programs } from "./world.ts";

/** What a worker knows of what was to be loaded before it, and of the environment. */
const TASKS = `
  import process from "node:process";
  import { task } from "@concurrent/futures";
  export const look = task(import.meta.url, function look(n: number) {
    const { loaded } = globalThis as { loaded?: string[] };
    return [n * 2, loaded?.sort().join(" ") ?? "nothing", process.env.FROM_FILE ?? "no file"].join(", ");
  });`;

const program = (before: string, options = "{ maxWorkers: 1 }") => `
  import { mkdtempSync, rmdirSync } from "node:fs";
  import { tmpdir } from "node:os";
  import { join } from "node:path";
  import process from "node:process";
  import { EXECUTOR as Executor } from "@concurrent/futures";
  import { look } from "./tasks.ts";
  ${before}
  const executor = new Executor(${options});
  try {
    console.log(await executor.submit(look, 21), executor.stats().lost);
  } catch (error) {
    console.log(String(error));
  }
  await executor.shutdown();`;

const LOADED = (name: string) => `((globalThis as any).loaded ??= []).push("${name}");`;

const FILES: Program["files"] = {
  "tasks.ts": TASKS,
  "main.ts": program(""),
  "blocking.ts": `
    import { EXECUTOR as Executor } from "@concurrent/futures";
    import { resultSync } from "@concurrent/futures/sync";
    import { look } from "./tasks.ts";
    const executor = new Executor({ maxWorkers: 1 });
    console.log(resultSync(executor.submit(look, 21)), executor.stats().lost);
    await executor.shutdown();`,
  "elsewhere.ts": program(`process.chdir(tmpdir());`),
  "cwd.ts": program("", `{ maxWorkers: 1, cwd: tmpdir() } as object`),
  "nowhere.ts": program(`
    const folder = mkdtempSync(join(tmpdir(), "futures-gone-"));
    process.chdir(folder);
    rmdirSync(folder);`),
  "tell.ts": `
    import { isWorker } from "@concurrent/futures";
    import { writeSync } from "node:fs";
    writeSync(1, isWorker ? "worker\\n" : "program\\n");`,
  "setup.ts": LOADED("setup"),
  "required.cts": LOADED("required"),
  ".variables": "FROM_FILE=a file",
  // On Deno, the folder of the packages is that of the project itself.
  ...(runtime !== "deno" && {
    "node_modules/loaded/package.json": `{ "name": "loaded", "type": "module", "exports": { "import": "./index.js" } }`,
    "node_modules/loaded/index.js": LOADED("package").replace(" as any", ""),
  }),
};

/** What the program prints when all is well. */
const WELL = "42, nothing, no file 0";

type Args = NonNullable<Program["args"]>;

/** A row for each way to start. */
function rows(ways: readonly (Partial<Program> & { readonly args: Args })[]): void {
  programs(ways.map((way) => {
    const [words] = Object.values(way.args) as (readonly string[])[];
    const env = Object.entries(way.env ?? {}).map(([name, value]) => `${name}=${value} `).join("");
    return { name: `runs in ${env}${Object.keys(way.args)} ${words!.join(" ")}`, files: FILES, prints: WELL, ...way };
  }));
}

const IMPORT = `await import("./main.ts")`;
const node = (...args: string[]): Args => ({ node: args });
const bun = (...args: string[]): Args => ({ bun: args });
const deno = (...args: string[]): Args => ({ deno: args });

// Programs that are not files.
rows([
  { args: node("-e", IMPORT) },
  { args: node("--input-type=module", "-e", IMPORT) },
  { args: node("--input-type", "module", "--eval", IMPORT) },
  { args: node("-"), stdin: IMPORT },
  { args: node("--input-type=module", "-"), stdin: IMPORT },
  { args: node("--input-type=module"), stdin: IMPORT },
  { args: node("-e", IMPORT), env: { NODE_OPTIONS: "--input-type=module" } },
  { args: bun("-e", IMPORT) },
  { args: bun("--print", IMPORT), prints: `${WELL}\nModule {}` },
  { args: bun("-"), stdin: IMPORT },
  { args: bun("run", "-"), stdin: IMPORT },
  { args: deno("eval", IMPORT) },
  { args: deno("run", "-A", "--no-check", "-"), stdin: IMPORT },
  { args: deno("repl", "-A", "--quiet", "--eval", IMPORT), prints: new RegExp(`^${WELL}`) },
]);

// Programs that are not files, and block.
const BLOCK = `await import("./blocking.ts")`;
rows([
  { args: node("--input-type=module"), stdin: BLOCK },
  { args: node("--input-type=module", "-e", BLOCK) },
  { args: bun("-"), stdin: BLOCK },
  { args: deno("run", "-A", "--no-check", "-"), stdin: BLOCK },
]);

// Programs that block get their flags to their workers, and the thread that starts processes runs nothing of theirs.
const TOLD = "program\nworker\n42, nothing, no file 0";
rows([
  { args: node("--import", "./tell.ts", "blocking.ts"), prints: TOLD },
  { args: node("--title=program", "--require", "./required.cts", "blocking.ts"), prints: "42, required, no file 0" },
  { args: node("blocking.ts"), env: { NODE_OPTIONS: "--import ./tell.ts" }, prints: TOLD },
  { args: bun("--preload", "./tell.ts", "blocking.ts"), executors: ["ProcessPoolExecutor"], prints: TOLD },
  {
    args: deno("run", "-A", "--no-check", "--preload", "./tell.ts", "blocking.ts"),
    prints: "program\n42, nothing, no file 0",
  },
]);

// Flags whose value is the next word.
rows([
  { args: node("--test-name-pattern", "foo", "main.ts") },
  { args: node("--conditions", "foo", "-C", "bar", "--title", "program", "main.ts") },
  { args: node("--import", "./setup.ts", "main.ts"), prints: "42, setup, no file 0" },
  { args: node("-r", "./required.cts", "--require", "./required.cts", "main.ts"), prints: "42, required, no file 0" },
  { args: node("--import", "loaded", "main.ts"), prints: "42, package, no file 0" },
  { args: node("--env-file", ".variables", "main.ts"), prints: "42, nothing, a file 0" },
  { args: bun("--conditions", "foo", "--title", "program", "-d", "FOO=1", "main.ts") },
  { args: bun("--env-file", ".variables", "main.ts"), prints: "42, nothing, a file 0" },
  { args: bun("--preload", "./setup.ts", "main.ts"), executors: ["ThreadPoolExecutor"] }, // Bun (1.4) loads none in threads
  {
    args: bun("--preload", "./setup.ts", "main.ts"),
    executors: ["ProcessPoolExecutor"],
    prints: "42, setup, no file 0",
  },
]);

// What flags name is where the program was started, wherever it goes and its workers are.
for (const main of ["cwd.ts", "elsewhere.ts"]) {
  const both = main === "cwd.ts" ? { executors: ["ProcessPoolExecutor"] as const } : {};
  const setUp = { prints: "42, setup, no file 0", ...both };
  const processes = { ...setUp, executors: ["ProcessPoolExecutor"] as const };
  rows([
    { args: node("--import", "./setup.ts", main), ...setUp },
    { args: node("--import=./setup.ts", "--stack-trace-limit=9", "--title=program", main), ...setUp },
    { args: node("--import", "loaded", main), ...setUp, prints: "42, package, no file 0" },
    { args: node("-r", "./required.cts", main), ...setUp, prints: "42, required, no file 0" },
    { args: node("--env-file=.variables", main), ...setUp, prints: "42, nothing, a file 0" },
    { args: node(main), env: { NODE_OPTIONS: "--import ./setup.ts --max-old-space-size=999" }, ...setUp },
    { args: bun("--preload", "./setup.ts", main), ...processes },
    { args: bun("--preload=./setup.ts", "-r", "loaded", main), ...processes, prints: "42, package setup, no file 0" },
    { args: bun("--env-file", ".variables", main), ...setUp, prints: "42, nothing, a file 0" },
    { args: bun(main), env: { BUN_OPTIONS: "--preload ./setup.ts" }, ...processes },
    { args: deno("run", "-A", "--no-check", main), ...both, prints: WELL },
  ]);
}

// Flags that are about the program alone. A debugger listens once.
const DEBUGGER = {
  node: /^Debugger listening on [^\n]*\nFor help[^\n]*\n$/,
  deno: /^Debugger listening[^\n]*\nVisit[^\n]*\n$/,
};
/** It says so when it comes to it, which may be too late. */
const BUN_DEBUGGER = /^(-+ Bun Inspector -+\nListening:\n[^\n]*\nInspect in browser:\n[^\n]*\n-+ Bun Inspector -+\n)?$/;
rows([
  { args: node("--inspect=127.0.0.1:0", "main.ts"), complains: DEBUGGER.node },
  { args: node("main.ts"), env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" }, complains: DEBUGGER.node },
  { args: node("main.ts"), env: { NODE_OPTIONS: `--no-warnings "--inspect=127.0.0.1:0"` }, complains: DEBUGGER.node },
  { args: bun("--inspect=127.0.0.1:0", "main.ts"), complains: BUN_DEBUGGER },
  { args: bun("main.ts"), env: { BUN_INSPECT: "127.0.0.1:0" }, complains: /^[^]*$/ },
  { args: bun("main.ts"), env: { BUN_OPTIONS: "--inspect=127.0.0.1:0" }, complains: BUN_DEBUGGER },
  { args: deno("run", "-A", "--no-check", "--inspect=127.0.0.1:0", "main.ts"), complains: DEBUGGER.deno },
  { args: node("--cpu-prof", "--cpu-prof-name=program.cpuprofile", "--heapsnapshot-near-heap-limit=1", "main.ts") },
  { args: node("--test-only", "--stack-size=1500", "--expose-gc", "--max-old-space-size=500", "main.ts") },
  { args: bun("--smol", "--expose-gc", "--silent", "main.ts") },
  { args: bun("--cwd", ".", "main.ts") },
]);

// Missing permissions.
const NOT_ALLOWED = (what: string) => new RegExp(`^Broken.* add --allow-${what} to --permission\n$`);
const PERMISSION = ["--permission", "--allow-fs-read=*"];
rows([
  { args: node(...PERMISSION, "main.ts"), executors: ["ThreadPoolExecutor"], prints: NOT_ALLOWED("worker") },
  { args: node(...PERMISSION, "main.ts"), executors: ["ProcessPoolExecutor"], prints: NOT_ALLOWED("child-process") },
  {
    args: node("--no-warnings", ...PERMISSION, "--allow-worker", "--allow-child-process", "main.ts"),
  },
  {
    args: deno("run", "--no-check", "--no-prompt", "--allow-read", "--allow-env", "main.ts"),
    executors: ["ProcessPoolExecutor"],
    prints: /^BrokenProcessPool: .*--allow-run/,
  },
]);

// Where something is missing.
const NO_SHELL = { PATH: tmpdir() };
const GONE = "BrokenThreadPool: Workers could not be started: the last one ended unexpectedly: " +
  "Cannot start a thread as the working folder is gone: call process.chdir() with another one first";
rows([
  { args: node("main.ts"), env: NO_SHELL },
  { args: bun("main.ts"), env: NO_SHELL },
  { args: deno("run", "-A", "--no-check", "main.ts"), env: NO_SHELL },
  { args: node("nowhere.ts"), executors: ["ThreadPoolExecutor"], prints: GONE },
  { args: node("nowhere.ts"), executors: ["ProcessPoolExecutor"] },
  { args: bun("nowhere.ts") },
  { args: deno("run", "-A", "--no-check", "nowhere.ts"), executors: ["ThreadPoolExecutor"], prints: GONE },
  { args: deno("run", "-A", "--no-check", "nowhere.ts"), executors: ["ProcessPoolExecutor"] },
]);

// Test runners, and tasks.
const TESTED = {
  "main_test.ts": `
    import assert from "node:assert/strict";
    import { test } from "node:test";
    import { EXECUTOR as Executor } from "@concurrent/futures";
    import { look } from "./tasks.ts";
    test("it works", async () => {
      await using executor = new Executor({ maxWorkers: 1 });
      assert.match(await executor.submit(look, 21), /^42/);
    });`,
};
programs([
  {
    name: "runs in a test",
    files: { ...FILES, ...TESTED },
    args: {
      node: ["--test", "main_test.ts"],
      bun: ["test", "--silent", "main_test.ts"],
      deno: ["test", "-A", "--no-check", "main_test.ts"],
    },
    prints: /pass 1|1 passed|bun test/,
    complains: /^$|1 pass/,
  },
  {
    name: "runs in a task of the project",
    files: runtime === "deno" ? FILES : {
      ...FILES,
      "package.json": JSON.stringify({ type: "module", scripts: { start: `${process.execPath} main.ts` } }),
    },
    args: {
      node: ["--run", "start"],
      bun: ["run", "--silent", "start"],
      deno: ["task", "--quiet", "--eval", "deno run -A --no-check main.ts"],
    },
    prints: WELL,
  },
]);
