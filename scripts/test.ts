// deno-lint-ignore-file no-console -- a program prints
// `deno task test`: the tests on every runtime, and one closing line with the totals. What takes long (LONG below) is left to
// `deno task test --all`.
//
//   types     deno check of mod.ts and of tests/package/types_check.ts, whose wrong lines must not compile
//   deno      tests/**/*_test.ts on the source
//   bun       the same
//   node      the same, on Node 24, which strips the types
//   deno-oldest bun-oldest node20 node22 node26    with --all or --long: the behaviour of both executors, on the oldest versions
//             that the documents promise and on the other lines of Node; on 20 and 22, compiled
//   chaos     scripts/stress/chaos: a minute of it on all three, with a plan that nobody has seen
//   consumer  the folders of tests/package: the npm package, from its tarball, with what its users have. Deno runs them
//
// Then it looks for what the tests left behind, as one more test.

import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { HOW_TO_INSTALL_REDIS, redisProgram } from "../tests/support/redis_server.ts";
import { install, ROOT } from "./install.ts";
import { type Counts, countTests, endedTests, failuresIn, filesWithoutTests } from "./junit.ts";
import { Leftovers } from "./leftovers.ts";
import { Progress } from "./progress.ts";
import { describeEnd, run, type RunResult } from "./run.ts";
import { otherRuntimes, type Runtimes, runtimes } from "./runtimes.ts";

const HELP = `deno task test [--all | --long] [--runtime NAME]... [part of a file's path]...

  deno task test                        what takes ten minutes at most on two quiet cores
  deno task test --all                  everything
  deno task test --long                 only what the first leaves out
  deno task test wait                   only the test files whose path contains "wait", on each runtime
  deno task test --runtime bun wait     the same, on Bun only (or deno, node, deno-oldest, bun-oldest, node20, node22, node26)
  deno task test consumer               only the tests of the npm package`;

/** Suites on other versions of the runtimes: they take long. */
const OTHERS = ["deno-oldest", "bun-oldest", "node20", "node22", "node26"] as const;

const SUITES = ["types", "deno", "bun", "node", ...OTHERS, "chaos", "consumer"] as const;

/** What runs on other versions. */
const CASES = ["thread", "process"].map((kind) => `./tests/behaviour/${kind}_pool_executor_test.ts`);

/** Folders and files whose tests take long: everyday's run leaves them out. */
const LONG = [
  "scripts/stress/chaos",
  "tests/behaviour/bullmq/", // start Redis servers and hosts
  "tests/behaviour/call_options_test.ts", // waits for many limits of time
  "tests/behaviour/endless_finalizer_test.ts", // waits for limits of five seconds
  "tests/behaviour/open_files_test.ts", // kills workers a dozen times
  "tests/behaviour/permissions_test.ts", // some hundred programs on Deno
  "tests/faults/fault_matrix_test.ts", // some hundred programs
  "tests/faults/longer_faults_test.ts", // some hundred programs
  "tests/package/browser/", // builds the package, and starts a browser
  "tests/package/bundlers/", // builds and runs programs with a dozen bundlers
  "tests/package/consumer/", // builds and installs the package
  "tests/package/demo_", // whole programs, with much to count
  "tests/package/toolchains/", // runs programs by many tools
  "tests/package/types/", // a dozen compilations
  "tests/properties/", // many thousand random programs, and every order of the reads and writes of a page
  "tests/unit/bullmq/", // many thousand values
  "tests/unit/wire/hostile_wire_test.ts", // many thousand messages
  "tests/world/compil", // builds programs with other tools
  // Each starts dozens of programs:
  "tests/world/hostile_line_test.ts",
  "tests/world/one_file_test.ts",
  "tests/world/output_test.ts",
  "tests/world/reentrant_calls_test.ts",
  "tests/world/own_worker_test.ts",
  "tests/world/shared_line_test.ts",
  "tests/world/start_test.ts",
  "tests/world/sync_faults_test.ts",
];

/** Folders with packages of their own, and the files that need them. */
const PACKAGES: readonly (readonly [folder: string, needed: RegExp])[] = [
  ["examples/word_count/show", /^\.\/tests\/package\/demo_/],
  ["tests/tools", /^\.\/tests\/(world\/compil|package\/deploy_)/],
  ["tests/package/bundlers", /^\.\/tests\/package\/(browser|bundlers)\//],
  ["tests/package/toolchains", /^\.\/tests\/package\/toolchains\//],
  ["tests/package/types", /^\.\/tests\/package\/types\//],
];

/** A suite that has not ended by then is killed and has failed, in milliseconds. */
const SUITE_TIMEOUT = 30 * 60_000;

/** Bun fails a test that takes longer, 5 s by default: enough for a slow machine, in milliseconds. */
const BUN_TEST_TIMEOUT = 120_000;

/** How long the chaos run takes, for all runtimes and backends together. */
const CHAOS_MINUTES = 1;

/** A command which runs test files. */
interface Suite {
  readonly name: typeof SUITES[number];
  readonly files: readonly string[];
  readonly command: readonly string[];
  /** Where it runs (default: the project's folder). */
  readonly cwd?: string;
  /** What repeats it. */
  readonly note?: string;
  /** Whose JUnit report it writes, and where. Absent: the command as a whole is one test. */
  readonly report?: { readonly runner: "deno" | "bun" | "node"; readonly path: string };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runtime: { type: "string", multiple: true, short: "r" },
      all: { type: "boolean" },
      long: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);

  // Who names files wants these, however long they take.
  const lengths = values.all || positionals.length > 0 ? "any" : values.long ? "long" : "short";
  const isNamed = (file: string) => positionals.length === 0 || positionals.some((part) => file.includes(part));
  const isChosen = (file: string) => isNamed(file) && (lengths === "any" || isLong(file) === (lengths === "long"));
  const scratch = mkdtempSync(join(tmpdir(), "futures-test-"));
  try {
    const programs = await runtimes();
    const others = values.all || values.long ? OTHERS : OTHERS.filter((name) => values.runtime?.includes(name));
    const suites = [
      ...suitesOf(testFiles(), scratch, programs)
        .map((suite) => ({ ...suite, files: suite.files.filter(isChosen) })),
      ...(others.length === 0 ? [] : await otherSuites(scratch, programs.deno))
        .map((suite) => ({ ...suite, files: suite.files.filter(isNamed) })),
    ].filter(({ name, files }) => files.length > 0 && (values.runtime ?? SUITES).includes(name));
    if (suites.length === 0) {
      process.exitCode = 1;
      return console.log(`There is no such test\n\n${HELP}`);
    }
    await installFor(suites.flatMap(({ files }) => files));
    const total = await runSuites(suites, programs, scratch);
    console.log(`\n${summary(total)}`);
    if (total.skipped > 0 && !redisProgram) console.log(`Some tests were skipped as ${HOW_TO_INSTALL_REDIS}`);
    process.exitCode = total.failed === 0 ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Every test file. Throws when a pattern of LONG means none of them any more. */
function testFiles(): string[] {
  const files = (readdirSync(join(ROOT, "tests"), { recursive: true }) as string[])
    .map((file) => `./tests/${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith("_test.ts") && !file.includes("/node_modules/"))
    .sort();
  const stale = LONG.find((part) => !existsSync(join(ROOT, part)) && !files.some((file) => file.includes(part)));
  if (stale) throw new Error(`Cannot tell which tests take long: no test file has '${stale}' in its path`);
  return files;
}

function isLong(file: string): boolean {
  return LONG.some((part) => file.includes(part));
}

/** All suites, with all of their files. */
function suitesOf(files: readonly string[], scratch: string, { deno, bun, node24 }: Runtimes): Suite[] {
  const isConsumer = (file: string) => /\/tests\/package\/\w+\//.test(file);
  const types = ["mod.ts", "tests/package/types_check.ts"];
  const seed = randomInt(2 ** 31);
  const report = (name: string) => join(scratch, `${name}.xml`);
  const everywhere = files.filter((file) => !isConsumer(file));
  return [
    { name: "types", files: types, command: [deno, "check", ...types] },
    { name: "deno", files: everywhere, ...testCommand("deno", deno, report("deno")) },
    { name: "bun", files: everywhere, ...testCommand("bun", bun, report("bun")) },
    { name: "node", files: everywhere, ...testCommand("node", node24, report("node")) },
    {
      name: "chaos",
      files: ["scripts/stress/chaos"],
      command: [deno, "run", "-A", "scripts/stress/chaos/main.ts", `--minutes=${CHAOS_MINUTES}`, `--seed=${seed}`],
      note: `seed ${seed}`,
    },
    {
      name: "consumer",
      files: files.filter(isConsumer),
      ...testCommand("deno", deno, report("consumer")),
    },
  ];
}

/** What runs on other versions of the runtimes. */
async function otherSuites(scratch: string, deno: string): Promise<Suite[]> {
  const { denoOldest, bunOldest, nodeOldest, node22, node26 } = await otherRuntimes();
  const compiled = join(scratch, "compiled");
  await install(ROOT);
  const compilation = await run(deno, ["run", "-A", "scripts/compile.ts", compiled], { cwd: ROOT });
  if (compilation.code !== 0) throw new Error(`Cannot compile the tests for older Nodes: ${compilation.output}`);
  const suite = (name: Suite["name"], runner: "deno" | "bun" | "node", program: string, cwd?: string): Suite => ({
    name,
    files: cwd ? CASES.map((file) => file.replace(/\.ts$/, ".js")) : CASES,
    ...testCommand(runner, program, join(scratch, `${name}.xml`)),
    ...(cwd && { cwd }),
  });
  return [
    suite("deno-oldest", "deno", denoOldest),
    suite("bun-oldest", "bun", bunOldest),
    suite("node20", "node", nodeOldest, compiled),
    suite("node22", "node", node22, compiled),
    suite("node26", "node", node26),
  ];
}

/** The command with which a runtime runs test files, and the report that it writes. */
function testCommand(
  runner: "deno" | "bun" | "node",
  program: string,
  path: string,
): { command: string[]; report: { runner: "deno" | "bun" | "node"; path: string } } {
  const command = {
    deno: [program, "test", "-A", "--no-check", `--junit-path=${path}`],
    bun: [program, "test", `--timeout=${BUN_TEST_TIMEOUT}`, "--reporter=junit", `--reporter-outfile=${path}`],
    node: [
      // One file at a time, as on the other two: the tests start workers of their own.
      ...[program, "--test", "--test-concurrency=1"],
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...["--test-reporter=junit", `--test-reporter-destination=${path}`],
    ],
  }[runner];
  return { command, report: { runner, path } };
}

/** Installs what these files need. */
async function installFor(files: readonly string[]): Promise<void> {
  await install(ROOT);
  for (const [folder, needed] of PACKAGES) {
    if (files.some((file) => needed.test(file))) await install(join(ROOT, folder));
  }
}

/** Runs the suites one after another, each followed by a look at what it left behind. */
async function runSuites(suites: readonly Suite[], programs: Runtimes, scratch: string): Promise<Counts> {
  const leftovers = new Leftovers(scratch);
  const env = {
    ...process.env,
    ...leftovers.env,
    // For tests of programs on several runtimes.
    FUTURES_DENO: programs.deno,
    FUTURES_BUN: programs.bun,
    FUTURES_NODE: programs.node24,
    NO_COLOR: "1",
  };
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const left: string[] = [];
  for (const suite of suites) {
    const { passed, failed, skipped } = await runSuite(suite, env);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    left.push(...(await leftovers.remove()).map((it) => `${suite.name}: ${it}`));
  }
  if (left.length > 0) total.failed++;
  else total.passed++;
  console.log(left.length > 0 ? `left behind:\n  ${left.join("\n  ")}` : "nothing is left behind");
  return total;
}

/** Runs one suite, prints a line about it, and its output when anything failed. */
async function runSuite(suite: Suite, env: Record<string, string | undefined>): Promise<Counts> {
  const start = performance.now();
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
  const [command, ...args] = [...suite.command, ...(suite.report ? suite.files : [])];
  const progress = new Progress(suite.name);
  let ended = 0;
  const onOutput = (text: string) => {
    ended += endedTests(text);
    progress.show(`${ended} tests so far (${seconds()} s)`);
  };
  const result = await run(command!, args, { cwd: suite.cwd ?? ROOT, env, timeout: SUITE_TIMEOUT, onOutput });
  const { counts, problem } = judge(suite, result);
  progress.end(`${summary(counts)}  (${seconds()} s${suite.note ? `, ${suite.note}` : ""})`);
  if (counts.failed > 0) console.log(`\n${result.output.trim()}\n`);
  const failed = counts.failed > 0 ? failuresIn(result.output) : "";
  // Once more, below everything that passed: whoever reads the end of a long log reads why.
  if (failed) console.log(`What failed on ${suite.name}:\n${failed}\n`);
  if (problem) console.log(`Failed: ${problem}\n`);
  return counts;
}

/** What came of a suite. Whatever keeps a suite from being believed is one more failure. */
function judge({ report, files }: Suite, result: RunResult): { counts: Counts; problem?: string } {
  const hasPassed = result.code === 0;
  if (!report) return { counts: { passed: hasPassed ? 1 : 0, failed: hasPassed ? 0 : 1, skipped: 0 } };
  const xml = existsSync(report.path) ? readFileSync(report.path, "utf8") : "";
  const counts = countTests(xml);
  const problem = problemOf();
  if (problem) counts.failed++;
  return { counts, ...(problem && { problem }) };

  function problemOf(): string | undefined {
    if (!xml) return `the runner left no report and ${describeEnd(result)}`;
    if (counts.failed > 0) return undefined;
    const silent = filesWithoutTests(report!.runner, files, xml, result.output);
    if (silent.length > 0) return `no test was run in ${silent.join(", ")}`;
    if (!hasPassed) return `no test failed, but the runner ${describeEnd(result)}`;
  }
}

function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}

await main();
