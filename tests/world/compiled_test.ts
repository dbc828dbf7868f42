// Programs that are compiled into one executable. `process.execPath` names this executable, not the runtime.

import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertNotCompiled } from "../../src/process/compiled.ts";
import { runtime } from "../../src/runtime.ts";
import { esbuild, tool } from "../support/build_tools.ts";
import { type ExecutorName, EXECUTORS, expectEnd, makeFolder, runIn } from "./world.ts";

const PROGRAM = `
  import { EXECUTOR as Executor } from "@concurrent/futures";
  console.log("started");
  async function main() {
    const executor = new Executor({ maxWorkers: 1 });
    console.log(await executor.submit((n: number) => n * 2, 21));
    await executor.shutdown();
  }
  main().catch((error) => console.log(String(error)));
`;

/** What the program prints. Its file must run only once. */
const PRINTS: Record<ExecutorName, RegExp> = {
  ProcessPoolExecutor:
    /^started\nError: Cannot create ProcessPoolExecutor as this program is compiled .*Use ThreadPoolExecutor.*\n$/,
  ThreadPoolExecutor: /^started\n42\n$/,
};

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
  for (const runtimes of compiled) assert.throws(() => assertNotCompiled(runtimes), refused);
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

/** Compiles main.ts into an executable; none for a runtime that has to fetch what it is made of. */
const compile: ((folder: string, executable: string) => Promise<void>) | undefined =
  { deno: undefined, bun: compileWithBun, node: compileForNode }[runtime];

for (const executor of compile ? EXECUTORS : []) {
  test(`${executor}: a compiled program runs, or says what it cannot do, once`, async () => {
    const folder = makeFolder({ "main.ts": PROGRAM }, executor);
    const executable = join(folder, process.platform === "win32" ? "app.exe" : "app");
    try {
      await compile!(folder, executable);
      assert.ok(existsSync(executable));
      expectEnd(await runIn(folder, [], { command: executable }), { prints: PRINTS[executor] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function compileWithBun(folder: string, executable: string): Promise<void> {
  const { code, stderr } = await runIn(folder, ["build", "--compile", "main.ts", "--outfile", executable]);
  assert.equal(code, 0, stderr);
}

/** Follows Node's documentation of single executable applications. */
async function compileForNode(folder: string, executable: string): Promise<void> {
  const define = ["--define:import.meta.url=here"];
  define.push('--banner:js=const here = require("node:url").pathToFileURL(__filename).href;');
  esbuild(["main.ts", "--outfile=main.cjs", "--bundle", "--platform=node", "--format=cjs", ...define], { cwd: folder });
  const config = { main: "main.cjs", output: "main.blob", disableExperimentalSEAWarning: true };
  writeFileSync(join(folder, "sea.json"), JSON.stringify(config));
  const { code, stderr } = await runIn(folder, ["--experimental-sea-config", "sea.json"]);
  assert.equal(code, 0, stderr);
  copyFileSync(process.execPath, executable);
  chmodSync(executable, 0o755);
  const { inject } = tool<{ inject(...args: unknown[]): Promise<void> }>("postject");
  await inject(executable, "NODE_SEA_BLOB", readFileSync(join(folder, "main.blob")), {
    sentinelFuse: "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2",
    ...(process.platform === "darwin" && { machoSegmentName: "NODE_SEA" }),
  });
}
