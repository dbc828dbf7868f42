// deno-lint-ignore-file no-console -- a program prints
// `deno task ok`: every check but the tests, one after another. All are run, and those that fail are named at the end.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ENTRIES } from "./entries.ts";
import { install, ROOT } from "./install.ts";
import { Progress } from "./progress.ts";
import { run } from "./run.ts";

/**
 * What is checked. scripts/bench/contenders/ has packages that only the benchmarks install; JavaScript in tests/ and examples/
 * is for browsers and build tools.
 */
const CHECKED = [
  ...["mod.ts", "src", "scripts/stress", "scripts/bench/cases", "scripts/bench/cluster"],
  ...filesIn("tests", true),
  ...filesIn("examples", true),
  ...filesIn("scripts"),
  ...filesIn("scripts/bench"),
];

/** Folders whose packages the checked files import. */
const PACKAGES = [".", "scripts/bench", "examples/word_count/show"];

const STEPS: Readonly<Record<string, readonly string[]>> = {
  format: ["fmt", "--check"],
  lint: ["lint"],
  types: ["check", ...CHECKED],
  documentation: ["doc", "--lint", ...ENTRIES.map(([, file]) => file)],
  "publish dry run": ["publish", "--dry-run", "--allow-dirty"],
};

async function main(): Promise<void> {
  for (const folder of PACKAGES) await install(join(ROOT, folder));
  const failed: string[] = [];
  for (const [name, args] of Object.entries(STEPS)) {
    const start = performance.now();
    const progress = new Progress(name);
    const { code, output } = await run(process.execPath, args, { cwd: ROOT });
    progress.end(`${code === 0 ? "ok" : "FAILED"} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    if (code === 0) continue;
    failed.push(name);
    console.log(`\ndeno ${args.join(" ")}\n\n${output.trim()}\n`);
  }
  if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

function filesIn(folder: string, below = false): string[] {
  return readdirSync(join(ROOT, folder), { encoding: "utf8", recursive: below })
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .map((file) => `${folder}/${file}`);
}

await main();
