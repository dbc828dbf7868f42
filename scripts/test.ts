// deno-lint-ignore-file no-console -- a program prints
// `deno task test`: every test on every runtime, and one closing line with the totals.
//
//   types     deno check of mod.ts and of tests/types_check.ts, whose wrong lines must not compile
//   deno      tests/*_test.ts on the source
//   bun       the same
//   node      the same, on Node 24, which strips the types
//   consumer  tests/consumer: the npm package, from its tarball, on Node 20, Node 24 and Bun
//
// Then it looks for what the tests left behind, which fails as one more test.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { install, ROOT } from "./install.ts";
import { run } from "./run.ts";
import { runtimes } from "./runtimes.ts";

const HELP = `deno task test [--runtime deno|bun|node]... [part of a file's name]...

  deno task test                        everything
  deno task test wait                   only the test files whose name contains "wait", on each runtime
  deno task test --runtime bun wait     the same, on Bun only
  deno task test consumer               only the tests of the npm package`;

/** A suite that has not ended by then is killed and has failed. */
const SUITE_TIMEOUT = 10 * 60_000;
/** A single test that has not ended by then has failed, where the runner can say so. */
const TEST_TIMEOUT = 120_000;

/** A command which runs test files and writes what came of them to `report`, as JUnit XML. */
interface Suite {
  name: string;
  files: string[];
  command: string[];
  /** Absent: the command as a whole is one test. */
  report?: string;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Builds the suites which the command line asks for. */
async function chosenSuites(scratch: string): Promise<Suite[]> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runtime: { type: "string", multiple: true, short: "r" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const names = values.runtime ?? ["types", "deno", "bun", "node", "consumer"];
  const { deno, bun, node24 } = await runtimes();
  const matches = (file: string) => positionals.length === 0 || positionals.some((part) => file.includes(part));
  const files = readdirSync(join(ROOT, "tests")).filter((file) => file.endsWith("_test.ts") && matches(file))
    .sort().map((file) => `./tests/${file}`);
  const report = (name: string) => join(scratch, `${name}.xml`);
  const denoTest = [deno, "test", "-A", "--no-check"];
  const all: Suite[] = [
    {
      name: "types",
      files: ["types_check.ts"].filter(matches),
      command: [deno, "check", "mod.ts", "tests/types_check.ts"],
    },
    {
      name: "deno",
      files,
      command: [...denoTest, `--junit-path=${report("deno")}`, ...files],
      report: report("deno"),
    },
    {
      name: "bun",
      files,
      command: [
        ...[bun, "test", `--timeout=${TEST_TIMEOUT}`],
        ...["--reporter=junit", `--reporter-outfile=${report("bun")}`, ...files],
      ],
      report: report("bun"),
    },
    {
      name: "node",
      files,
      command: [
        // One file at a time, as on the other two: the tests measure time, and start workers of their own.
        ...[node24, "--test", "--test-concurrency=1"],
        ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
        ...["--test-reporter=junit", `--test-reporter-destination=${report("node")}`, ...files],
      ],
      report: report("node"),
    },
    {
      name: "consumer",
      files: ["./tests/consumer/consumer_test.ts"].filter(matches),
      command: [...denoTest, `--junit-path=${report("consumer")}`, "./tests/consumer/consumer_test.ts"],
      report: report("consumer"),
    },
  ];
  const unknown = names.filter((name) => !all.some((suite) => suite.name === name));
  const chosen = all.filter((suite) => names.includes(suite.name) && suite.files.length > 0);
  if (unknown.length > 0 || chosen.length === 0) {
    console.error(unknown.length > 0 ? `No such runtime: ${unknown}\n` : "No test file has such a name\n");
    console.error(HELP);
    process.exit(2);
  }
  return chosen;
}

/** Runs one suite, prints a line about it, and its output when anything failed. */
async function runSuite(suite: Suite, env: Record<string, string | undefined>): Promise<Counts> {
  const start = performance.now();
  process.stdout.write(suite.name.padEnd(10));
  const { code, output } = await run(suite.command[0]!, suite.command.slice(1), {
    cwd: ROOT,
    env,
    timeout: SUITE_TIMEOUT,
  });
  const { counts, problem } = readReport(suite, code);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${summary(counts)}  (${seconds} s)`);
  if (problem) console.log(`The suite ${problem}`);
  if (counts.failed > 0) console.log(`\n${output.trim()}\n`);
  return counts;
}

/** Counts the tests in a suite's report. Whatever keeps a suite from being believed is one more failure. */
function readReport({ report, files }: Suite, code: number): { counts: Counts; problem?: string } {
  if (!report) return { counts: { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 } };
  const xml = existsSync(report) ? readFileSync(report, "utf8") : "";
  const count = (tag: RegExp) => xml.match(tag)?.length ?? 0;
  const failed = count(/<(failure|error)\b/g);
  const skipped = count(/<skipped\b/g);
  const counts = { passed: count(/<testcase\b/g) - failed - skipped, failed, skipped };
  const silent = files.filter((file) => !xml.includes(file.slice("./".length)));
  const problem = !xml
    ? `crashed or was killed (exit code ${code}) and left no report`
    : silent.length > 0
    ? `no test was run in ${silent.join(", ")}`
    : code !== 0 && failed === 0
    ? `ended with exit code ${code} though no test failed`
    : undefined;
  if (!problem) return { counts };
  counts.failed++;
  return { counts, problem };
}

/** Finds the processes and files which the tests left behind, and ends those processes. */
async function findLeftovers(mark: string, temporary: string): Promise<string[]> {
  // A process whose parent has just ended may need a moment to notice it.
  const deadline = Date.now() + 3_000;
  let left = markedProcesses(mark);
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = markedProcesses(mark);
  }
  for (const { pid } of left) end(pid);
  return [
    ...left.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...readdirSync(temporary).map((name) => `temporary file: ${name}`),
  ];
}

/** The processes with `mark` in their environment, which a child inherits. Only Linux shows them. */
function markedProcesses(mark: string): { pid: number; command: string }[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark)) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return [{ pid: Number(pid), command }];
    } catch {
      return []; // it has ended meanwhile, or is not ours
    }
  });
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}

async function main(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "futures-test-"));
  try {
    const suites = await chosenSuites(scratch);
    await install(ROOT);
    const temporary = mkdtempSync(join(scratch, "tmp-"));
    const mark = `FUTURES_TEST_RUN=${scratch}`;
    const env = {
      ...process.env,
      FUTURES_TEST_RUN: scratch,
      TMPDIR: temporary,
      TMP: temporary,
      TEMP: temporary,
      // The runtimes' own caches would look like files the tests left.
      NODE_DISABLE_COMPILE_CACHE: "1",
      BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
      NO_COLOR: "1",
    };
    const total: Counts = { passed: 0, failed: 0, skipped: 0 };
    const leftovers: string[] = [];
    for (const suite of suites) {
      const counts = await runSuite(suite, env);
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
      const found = await findLeftovers(mark, temporary);
      leftovers.push(...found.map((what) => `${suite.name}: ${what}`));
      for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { recursive: true });
    }
    if (leftovers.length > 0) {
      total.failed++;
      console.log(`left behind:\n  ${leftovers.join("\n  ")}`);
    } else {
      total.passed++;
      console.log("nothing is left behind");
    }
    console.log(`\n${summary(total)}`);
    process.exitCode = total.failed > 0 ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

await main();
