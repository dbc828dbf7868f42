// deno-lint-ignore-file no-console -- a program prints
// `deno task test`: the tests on every runtime, and one closing line with the totals. What takes long (LONG below, chaos and
// the consumer's) is left to `deno task test --all`.
//
//   types     deno check of mod.ts and of tests/package/types_check.ts, whose wrong lines must not compile
//   deno      tests/**/*_test.ts on the source
//   bun       the same
//   node      the same, on Node 24, which strips the types
//   chaos     scripts/stress/chaos: a minute of it on all three, with a plan that nobody has seen
//   consumer  tests/package/consumer: the npm package, from its tarball, on Node 20, Node 24 and Bun
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
import { run } from "./run.ts";
import { type Runtimes, runtimes } from "./runtimes.ts";

const HELP = `deno task test [--all | --long] [--runtime deno|bun|node]... [part of a file's name]...

  deno task test                        what takes ten minutes at most on two quiet cores
  deno task test --all                  everything
  deno task test --long                 only what the first leaves out
  deno task test wait                   only the test files whose name contains "wait", on each runtime
  deno task test --runtime bun wait     the same, on Bun only
  deno task test consumer               only the tests of the npm package`;

const SUITES = ["types", "deno", "bun", "node", "chaos", "consumer"] as const;

/** Files whose tests take long, and suites: they are left out of everyday's run. */
const LONG = /chaos|consumer|fault_matrix|bullmq|demo|world\/compil|soak/;

/** A suite that has not ended by then is killed and has failed, in milliseconds. */
const SUITE_TIMEOUT = 30 * 60_000;

/** How often a suite says how far it has come where there is no terminal, in milliseconds. */
const SHOW_INTERVAL = 30_000;

/** Bun fails a test that takes longer, 5 s by default: enough for a slow machine, in milliseconds. */
const BUN_TEST_TIMEOUT = 120_000;

/** How long the chaos run takes, for all runtimes and backends together. */
const CHAOS_MINUTES = 1;

/** A command which runs test files. */
interface Suite {
  readonly name: typeof SUITES[number];
  readonly files: readonly string[];
  readonly command: readonly string[];
  /** What repeats it. */
  readonly note?: string;
  /** Where it writes what came of them, as JUnit XML. Absent: the command as a whole is one test. */
  readonly report?: string;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
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

  await install(ROOT);
  await install(join(ROOT, "tests", "tools"));
  const scratch = mkdtempSync(join(tmpdir(), "futures-test-"));
  try {
    const programs = await runtimes();
    // Who names files wants these, however long they take.
    const lengths = values.all || positionals.length > 0 ? "any" : values.long ? "long" : "short";
    const suites = chooseSuites(scratch, programs, values.runtime ?? SUITES, positionals, lengths);
    const total = suites.length > 0 ? await runSuites(suites, programs, scratch) : undefined;
    console.log(total ? `\n${summary(total)}` : `There is no such test\n\n${HELP}`);
    if (total && total.skipped > 0 && !redisProgram) console.log(`Some tests were skipped as ${HOW_TO_INSTALL_REDIS}`);
    process.exitCode = total?.failed === 0 ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The suites among `names` which have a file whose name contains one of `parts`. */
function chooseSuites(
  scratch: string,
  { deno, bun, node24 }: Runtimes,
  names: readonly string[],
  parts: string[],
  lengths: "any" | "short" | "long",
): Suite[] {
  const chosen = (file: string) =>
    (parts.length === 0 || parts.some((part) => file.includes(part))) &&
    (lengths === "any" || LONG.test(file) === (lengths === "long"));
  const types = ["mod.ts", "tests/package/types_check.ts"];
  const consumer = ["./tests/package/consumer/consumer_test.ts"];
  const files = (readdirSync(join(ROOT, "tests"), { recursive: true }) as string[])
    .map((file) => `./tests/${file.replaceAll("\\", "/")}`)
    .filter((file) => /^(?!.*\/node_modules\/).*_test\.ts$/.test(file) && !consumer.includes(file) && chosen(file))
    .sort();
  const report = (name: string) => join(scratch, `${name}.xml`);
  const seed = randomInt(2 ** 31);
  const suites: Suite[] = [
    { name: "types", files: types.filter(chosen), command: [deno, "check", ...types] },
    {
      name: "deno",
      files,
      command: [deno, "test", "-A", "--no-check", `--junit-path=${report("deno")}`, ...files],
      report: report("deno"),
    },
    {
      name: "bun",
      files,
      command: [
        ...[bun, "test", `--timeout=${BUN_TEST_TIMEOUT}`],
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
      name: "chaos",
      files: ["scripts/stress/chaos"].filter(chosen),
      command: [deno, "run", "-A", "scripts/stress/chaos/main.ts", `--minutes=${CHAOS_MINUTES}`, `--seed=${seed}`],
      note: `seed ${seed}`,
    },
    {
      name: "consumer",
      files: consumer.filter(chosen),
      command: [deno, "test", "-A", "--no-check", `--junit-path=${report("consumer")}`, ...consumer],
      report: report("consumer"),
    },
  ];
  return suites.filter(({ name, files }) => names.includes(name) && files.length > 0);
}

/** Runs the suites one after another, each followed by a look at what it left behind. */
async function runSuites(suites: readonly Suite[], programs: Runtimes, scratch: string): Promise<Counts> {
  const temporary = mkdtempSync(join(scratch, "tmp-"));
  const env = {
    ...process.env,
    FUTURES_TEST_RUN: scratch,
    // For tests of programs on several runtimes.
    FUTURES_DENO: programs.deno,
    FUTURES_BUN: programs.bun,
    FUTURES_NODE: programs.node24,
    TMPDIR: temporary,
    TMP: temporary,
    TEMP: temporary,
    // The runtimes' own caches would look like files which the tests left.
    NODE_DISABLE_COMPILE_CACHE: "1",
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
    NO_COLOR: "1",
  };
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const left: string[] = [];
  for (const suite of suites) {
    const { passed, failed, skipped } = await runSuite(suite, env);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    left.push(...(await removeLeftovers(`FUTURES_TEST_RUN=${scratch}`, temporary)).map((it) => `${suite.name}: ${it}`));
  }
  if (left.length > 0) total.failed++;
  else total.passed++;
  console.log(left.length > 0 ? `left behind:\n  ${left.join("\n  ")}` : "nothing is left behind");
  return total;
}

/** Runs one suite, prints a line about it, and its output when anything failed. */
async function runSuite(suite: Suite, env: Record<string, string | undefined>): Promise<Counts> {
  const start = performance.now();
  if (process.stdout.isTTY) process.stdout.write(suite.name.padEnd(10));
  const [command, ...args] = suite.command;
  const progress = new Progress(suite.name);
  const { onOutput } = progress;
  const { code, output } = await run(command!, args, { cwd: ROOT, env, timeout: SUITE_TIMEOUT, onOutput });
  progress.end();
  const { counts, problem } = readReport(suite, code, output);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${summary(counts)}  (${seconds} s${suite.note ? `, ${suite.note}` : ""})`);
  if (counts.failed > 0) console.log(`\n${output.trim()}\n`);
  if (problem) console.log(`Failed: ${problem}\n`);
  return counts;
}

/** Shows how far a suite has come: as one line that changes, at a terminal; elsewhere as a line now and then. */
class Progress {
  readonly #suite: string;
  readonly #start = performance.now();
  #ended = 0;
  #shown = performance.now();

  constructor(suite: string) {
    this.#suite = suite;
  }

  readonly onOutput = (text: string): void => {
    // The words of Deno, Bun and Node for a test that has ended.
    this.#ended += text.match(/\.\.\. (ok|FAILED|ignored)\b|^\((pass|fail|skip)\)|^[✔✖﹣] /gm)?.length ?? 0;
    const now = performance.now();
    if (now - this.#shown < (process.stdout.isTTY ? 200 : SHOW_INTERVAL)) return;
    this.#shown = now;
    const seconds = ((now - this.#start) / 1000).toFixed();
    const line = `${this.#suite.padEnd(10)}${this.#ended} tests so far (${seconds} s)`;
    process.stdout.write(process.stdout.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
  };

  /** Makes room for the suite's own line. */
  end(): void {
    process.stdout.write(process.stdout.isTTY ? `\r\x1b[2K${this.#suite.padEnd(10)}` : this.#suite.padEnd(10));
  }
}

/** Counts the tests in a suite's report. Whatever keeps a suite from being believed is one more failure. */
function readReport(
  { name, report, files }: Suite,
  code: number,
  output: string,
): { counts: Counts; problem?: string } {
  if (!report) return { counts: { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 } };
  const xml = existsSync(report) ? readFileSync(report, "utf8") : "";
  const count = (tag: RegExp) => xml.match(tag)?.length ?? 0;
  const failed = count(/<(failure|error)\b/g);
  const skipped = count(/<skipped\b/g);
  const counts = { passed: count(/<testcase\b/g) - failed - skipped, failed, skipped };
  // Node calls a file without tests a test that passed, named like the file. In the reports of Deno and Node a test belongs
  // to the file that called test(), which may be another than the one that was run; Deno's output names that one.
  const ran = xml + output.replaceAll(/^running 0 tests from .*$/gm, "");
  const silent = files.map((file) => file.slice("./".length))
    .filter((file) => name === "node" ? xml.includes(`<testcase name="${file}"`) : !ran.includes(file));
  let problem: string | undefined;
  if (!xml) problem = `the runner ended with exit code ${code} and left no report`;
  else if (failed > 0) return { counts };
  else if (silent.length > 0) problem = `no test was run in ${silent.join(", ")}`;
  else if (code !== 0) problem = `the runner ended with exit code ${code}, though no test failed`;
  else return { counts };
  counts.failed++;
  return { counts, problem };
}

/** Ends and removes the processes and files which a suite left behind, and returns what they were. */
async function removeLeftovers(mark: string, temporary: string): Promise<string[]> {
  // A process whose parent has just ended may need a moment to notice it.
  const deadline = Date.now() + 3_000;
  let processes = markedProcesses(mark);
  while (processes.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    processes = markedProcesses(mark);
  }
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
  const files = readdirSync(temporary);
  for (const file of files) rmSync(join(temporary, file), { recursive: true });
  return [
    ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...files.map((file) => `temporary file ${file}`),
  ];
}

/** The processes with `mark` in their environment, which children inherit. Only Linux lets one see it. */
function markedProcesses(mark: string): { pid: number; command: string }[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark)) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return [{ pid: Number(pid), command }];
    } catch {
      return []; // It has ended meanwhile, or belongs to another user.
    }
  });
}

function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}

await main();
