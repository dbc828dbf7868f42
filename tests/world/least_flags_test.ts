// The flags that docs/runtimes.md calls the least: with them a program works, and without any one of them it does not.

import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runtime } from "../support/runtime.ts";
import { ROOT } from "../package/docs_programs.ts";
import { type ExecutorName, makeFolder, runIn } from "./world.ts";

/** What turns permissions on, rather than granting one. */
const SWITCH = "--permission";

interface Row {
  readonly executor: ExecutorName;
  readonly flags: readonly string[];
  /** Such as `permissions: { read: ["."] }`. */
  readonly option: string;
}

const page = readFileSync(join(ROOT, "docs", "runtimes.md"), "utf8");
const rows: readonly Row[] = page.split("<!-- flags:begin -->")[1]!.split("<!-- flags:end -->")[0]!.trim()
  .split("\n").slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")))
  .filter(([name]) => name!.toLowerCase() === runtime)
  .map(([, executor, flags, option]) => ({
    executor: executor as ExecutorName,
    flags: flags!.split(" "),
    option: option!,
  }));

test("docs/runtimes.md has flags for both executors, where there are permissions", () => {
  assertStrictEquals(new Set(rows.map(({ executor }) => executor)).size, runtime === "bun" ? 0 : 2);
});

for (const { executor, flags, option } of rows) {
  const name = `${executor} with ${flags.join(" ")}${option && ` and ${option}`}`;

  test(`${name}: a program works`, async () => {
    assertEquals(await run(executor, flags, option), "2 42");
  });

  for (const flag of flags) {
    if (flag === SWITCH) continue;
    test(`${name}: not without ${flag}`, async () => {
      assertNotStrictEquals(await run(executor, flags.filter((other) => other !== flag), option), "2 42");
    });
  }

  if (option) {
    test(`${name}: not without the option`, async () => {
      assertNotStrictEquals(await run(executor, flags, ""), "2 42");
    });
  }
}

/** Runs a program with a function on the spot and one of a module. Returns what it prints, or why it fails. */
async function run(executor: ExecutorName, flags: readonly string[], option: string): Promise<string> {
  const folder = makeFolder({
    "tasks.ts": `
      import { task } from "@concurrent/futures/task";
      export const double = task(import.meta.url, function double(n: number): number {
        return n * 2;
      });`,
    "main.ts": `
      import { EXECUTOR as Executor } from "@concurrent/futures";
      import { double } from "./tasks.ts";
      const executor = new Executor({ maxWorkers: 1, ${option.replace('"."', `".", ${JSON.stringify(ROOT)}`)} });
      try {
        console.log(await executor.submit((n: number) => n + 1, 1), await executor.submit(double, 21));
      } catch (error) {
        console.log(String(error));
      }
      await executor.shutdown();`,
  }, executor);
  try {
    // Deno's node:child_process (2.9) adds --allow-all to a command line that has no flag about permissions.
    const start = runtime === "deno" ? ["run", "--no-check", "--no-prompt", "--deny-ffi"] : ["--no-warnings"];
    const { stdout, stderr } = await runIn(folder, [...start, ...flags.flatMap(here), "main.ts"]);
    return stdout.trim() || stderr;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A flag as it is on this machine, where the package is not below the program's folder. */
function here(flag: string): string[] {
  if (flag === "--allow-run=/path/to/deno") return [`--allow-run=${process.execPath}`];
  return flag.endsWith("=.") ? [flag, flag.replace(/\.$/, ROOT)] : [flag];
}
