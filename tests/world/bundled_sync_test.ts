// A program that blocks, in one file with this package, without the files of the workers: the texts of these have to be here
// before it blocks, and serve all workers that start later.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { esbuild } from "../support/build_tools.ts";
import { ENTRIES } from "../../scripts/entries.ts";
import { ROOT } from "../../scripts/install.ts";
import { runtime } from "../support/runtime.ts";
import { EXECUTORS, runIn } from "./world.ts";

const PROGRAM = `
  import { EXECUTOR as Executor } from "@concurrent/futures";
  import { exceptionSync, resultSync } from "@concurrent/futures/sync";
  const executor = new Executor({ maxWorkers: 1 }), double = (n) => n * 2;
  const future = executor.submit(double, 3);
  try {
    resultSync(future);
  } catch (error) {
    console.log(error.message);
  }
  await executor.warmUp();
  console.log(resultSync(future));
  console.log(exceptionSync(executor.submit(() => globalThis.process.exit(3))).name);
  console.log(resultSync(executor.submit(double, 4)));
  const another = new Executor({ maxWorkers: 1 });
  console.log(resultSync(another.submit(double, 5)));
  await Promise.all([executor.shutdown(), another.shutdown()]);
`;

for (const executor of EXECUTORS) {
  test(`${executor}: a bundled program blocks after warmUp(), and starts workers while it does`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "futures-bundled-"));
    try {
      writeFileSync(join(folder, "main.mjs"), PROGRAM.replaceAll("EXECUTOR", executor));
      const names = ENTRIES.map(([name, file]) => `--alias:@concurrent/futures${name.slice(1)}=${join(ROOT, file)}`);
      const options = ["--bundle", "--platform=node", "--format=esm", "--outfile=out/main.mjs"];
      esbuild(["main.mjs", ...options, ...names], { cwd: folder });
      // Far from the sources.
      const out = join(folder, "out");
      const args = runtime === "deno" ? ["run", "-A", "--no-check", "main.mjs"] : ["main.mjs"];
      const { stdout, stderr, code } = await runIn(out, args);
      assertEquals(stdout.trim().split("\n"), [
        "Cannot wait for a result as the text of its workers' file is being loaded: await executor.warmUp() first",
        "6",
        "WorkerLostError",
        "8",
        "10",
      ]);
      assertEquals(stderr, "");
      assertStrictEquals(code, 0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
