// Programs that are compiled into one executable. `process.execPath` names this executable, not the runtime.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertNotCompiled } from "../../src/process/compiled.ts";
import { type Runtime, runtime } from "../support/runtime.ts";
import { type Cell, type Column, type Outcomes, recordRows, rowOf } from "../package/reach_table.ts";
import { esbuild, tool } from "../support/build_tools.ts";
import { expectEnd, makeFolder, runIn } from "./world.ts";
import { assertError } from "../support/assert_error.ts";

/** Prints what came of each kind of task in each kind of worker. */
const PROGRAM = `
  import { isWorker, ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "@concurrent/futures";
  import { square } from "./tasks.ts";
  import { threads } from "./options.ts";

  const prices = taskModule<typeof import("./prices.ts")>(new URL("./prices.ts", import.meta.url));

  async function outcomesOf(make: () => ThreadPoolExecutor | ProcessPoolExecutor) {
    const outcomes: Record<string, object> = {};
    let executor: ReturnType<typeof make> | undefined;
    for (const name of ["inline", "task", "taskModule"]) {
      try {
        executor ??= make();
        const result = name === "inline" ? await executor.submit((n: number) => n * n, 3)
          : name === "task" ? await executor.submit(square, 3) : await executor.submit(prices.withTax, 6);
        if (result !== 9) throw new Error("It returned " + result);
        outcomes[name] = { works: true };
      } catch (error) {
        outcomes[name] = { works: false, error: String(error) };
      }
    }
    await executor?.shutdown();
    return outcomes;
  }

  async function main() {
    console.log("started");
    const ofThreads = await outcomesOf(() => new ThreadPoolExecutor({ maxWorkers: 1, ...threads }));
    const processes = await outcomesOf(() => new ProcessPoolExecutor({ maxWorkers: 1 }));
    console.log(JSON.stringify({ threads: ofThreads, processes }));
  }

  if (!isWorker) main();
`;

const FILES = {
  "main.ts": PROGRAM,
  "tasks.ts": `
    import { task } from "@concurrent/futures/task";
    export const square = task(import.meta.url, (n: number) => n * n, { name: "square" });`,
  "prices.ts": "export const withTax = (price: number) => price * 1.5;",
  "options.ts": "export const threads = {};",
};

/** Threads from a file that the executable has inside. */
const OWN = {
  ...FILES,
  "my_worker.ts": `import "@concurrent/futures/worker"; import "./tasks.ts";`,
  "options.ts": `
    import { getAsset } from "node:sea";
    import { Worker } from "node:worker_threads";
    export const threads = { worker: () => new Worker(getAsset("my_worker", "utf8"), { eval: true }) };`,
};

const REFUSED = /^Error: Cannot create ProcessPoolExecutor as this program is compiled .*Use ThreadPoolExecutor/;

/** How programs are compiled, and what does not work: the message says what to do. */
const COMPILERS: readonly {
  readonly tool: string;
  readonly on: Runtime;
  readonly files: Readonly<Record<string, string>>;
  readonly how?: Partial<Record<Column, Cell>>;
  compile(folder: string, executable: string): Promise<void>;
}[] = [
  { tool: "bun build --compile", on: "bun", files: FILES, compile: compileWithBun },
  { tool: "Node, single executable", on: "node", files: FILES, compile: compileForNode },
  {
    tool: "Node, single executable, with a worker of one's own",
    on: "node",
    files: OWN,
    how: { threads: "[own worker](#executables)" },
    compile: compileForNode,
  },
];

test("ProcessPoolExecutor knows a compiled program", () => {
  const refused = { name: "Error", message: /^Cannot create ProcessPoolExecutor .*Use ThreadPoolExecutor/ };
  const sea = (isSea: boolean) => ({ getBuiltinModule: () => ({ isSea: () => isSea }) });
  const compiled = [
    { Deno: { build: { standalone: true } } },
    { Bun: { isStandaloneExecutable: true, main: "/$bunfs/root/app" } },
    { Bun: { main: "/$bunfs/root/app" } },
    { Bun: { main: "B:\\~BUN\\root\\app.exe" } },
    { process: sea(true) },
  ];
  for (const runtimes of compiled) assertError(assertThrows(() => assertNotCompiled(runtimes)), refused);
  const others = [
    { Deno: { build: { standalone: false } }, process: sea(true) },
    { Deno: { build: {} } },
    { Bun: { isStandaloneExecutable: false, main: "/home/bunny/main.ts" } },
    { Bun: { main: "/home/bunny/main.ts" } },
    { process: sea(false) },
    { process: { getBuiltinModule: () => undefined } },
    { process: {} },
    {},
  ];
  for (const runtimes of others) assertNotCompiled(runtimes);
});

for (const { tool, on, files, how, compile } of COMPILERS) {
  if (on !== runtime) continue;
  test(`${tool}: a compiled program runs, once, or says what it cannot do`, async () => {
    const folder = makeFolder(files, "ThreadPoolExecutor");
    const executable = join(folder, process.platform === "win32" ? "app.exe" : "app");
    try {
      await compile(folder, executable);
      for (const file of Object.keys(files)) rmSync(join(folder, file));
      assert(existsSync(executable));
      const ended = await runIn(folder, [], { command: executable });
      expectEnd(ended, { prints: /^started\n\{.*\}\n$/ });
      const outcomes: Outcomes = JSON.parse(ended.stdout.split("\n")[1]!);
      assertEquals(outcomes.threads.inline, { works: true });
      for (const outcome of Object.values(outcomes.processes)) {
        assertMatch((outcome as { error: string }).error, REFUSED);
      }
      for (const outcome of [outcomes.threads.task, outcomes.threads.taskModule]) {
        if (!outcome.works) assertMatch(outcome.error, /a build tool has|file of this worker has no such task/);
      }
      recordRows("compiled", [rowOf(tool, outcomes, how)]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function compileWithBun(folder: string, executable: string): Promise<void> {
  const { code, stderr } = await runIn(folder, ["build", "--compile", "main.ts", "--outfile", executable]);
  assertEquals(code, 0, stderr);
}

/** Follows Node's documentation of single executable applications. */
async function compileForNode(folder: string, executable: string): Promise<void> {
  const define = ["--define:import.meta.url=here"];
  define.push('--banner:js=const here = require("node:url").pathToFileURL(__filename).href;');
  const assets: Record<string, string> = {};
  for (const name of ["main", "my_worker"]) {
    if (!existsSync(join(folder, `${name}.ts`))) continue;
    const options = ["--bundle", "--platform=node", "--format=cjs", `--outfile=${name}.cjs`, ...define];
    esbuild([`${name}.ts`, ...options], { cwd: folder });
    if (name !== "main") assets[name] = `${name}.cjs`;
  }
  const config = { main: "main.cjs", output: "main.blob", disableExperimentalSEAWarning: true, assets };
  writeFileSync(join(folder, "sea.json"), JSON.stringify(config));
  const { code, stderr } = await runIn(folder, ["--experimental-sea-config", "sea.json"]);
  assertEquals(code, 0, stderr);
  copyFileSync(process.execPath, executable);
  chmodSync(executable, 0o755);
  const { inject } = tool<{ inject(...args: unknown[]): Promise<void> }>("postject");
  await inject(executable, "NODE_SEA_BLOB", readFileSync(join(folder, "main.blob")), {
    sentinelFuse: "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2",
    ...(process.platform === "darwin" && { machoSegmentName: "NODE_SEA" }),
  });
}
