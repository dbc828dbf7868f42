// deno-lint-ignore-file no-console -- a program prints
// `deno task bench`: runs the cases on the runtimes, each contender and run in a process of its own, and writes what came
// of it. Contenders take turns in each run, so that what else the machine does meets all of them alike.

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { buildNpm } from "../build_npm.ts";
import { install, ROOT } from "../install.ts";
import { run } from "../run.ts";
import { runtimes } from "../runtimes.ts";
import { writeSummary } from "../summary.ts";
import type { Case, Figures } from "./case.ts";
import { CASES } from "./cases.ts";
import { chart } from "./chart.ts";
import { contender, CONTENDERS, type Kind, KINDS } from "./contender.ts";
import { installNpm } from "./contenders/ours.ts";
import { handedAhead } from "./handed_ahead/main.ts";
import { runAlone } from "./run_alone.ts";
import { barTable, fullReport, headlineOf, summaryOf } from "./report.ts";
import { readResults, type Result, type Runtime, RUNTIMES, writeResults } from "./results.ts";

const HELP = `deno task bench [--runtime node|deno|bun]... [--case ${CASES.map(({ name }) => name).join("|")}]...
                [--contender <name>]... [--runs <number>] [--quick] [--report]
deno task bench handed-ahead [--help]    what calls cost that were handed ahead and take longer than expected

  --runtime, --case, --contender   only these; several with commas or by repeating the option
  --runs <number>                  runs of each contender (5; 1 with --quick)
  --quick                          small numbers, to try the suite itself; written to bench/quick, no page is changed
  --report                         measure nothing: write tables and charts again from what was measured last

Results are written to bench/results/*.json, bench/results.md, bench/*.svg, the summary in docs/performance.md and
the table in README.md. Some cases need fewer runs (scripts/bench/case.ts).`;

/** A process that has not ended by then is ended, and its contender has failed, in milliseconds. */
const TIME_LIMIT = 60_000;

/** The same for its first few calls: some never answer. */
const FIRST_TIME_LIMIT = 20_000;

/** The cases of Python. */
const OF_PYTHON = ["sequential", "burst", "map", "start", "scaling"];

/** Those which every ratio needs. */
const YARDSTICKS = ["ours", "bare", "python"];

const HERE = import.meta.dirname!;

/** A contender with one kind of workers, on one runtime. */
interface Entrant {
  readonly name: string;
  readonly kind: Kind;
  /** The command that measures, but for the case. */
  command(caseName: string): readonly string[];
  /** The cases it knows. */
  readonly cases: readonly string[];
  /** Why it does not take part. */
  failure?: string;
}

async function main(): Promise<void> {
  if (process.argv[2] === "handed-ahead") {
    process.exitCode = await handedAhead(process.argv.slice(3)) ? 0 : 1;
    return;
  }
  const list = { type: "string", multiple: true } as const;
  const { values } = parseArgs({
    options: {
      runtime: list,
      case: list,
      contender: list,
      runs: { type: "string" },
      quick: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);

  const quick = values.quick;
  const out = join(ROOT, "bench", quick ? "quick" : ".");
  if (!values.report) {
    await install(join(HERE, "contenders"));
    installNpm(dirname(await buildNpm()));
    const runs = Number(values.runs ?? (quick ? 1 : 5));
    const cases = choose("case", CASES, ({ name }) => name, values.case);
    const names = choose("contender", [...CONTENDERS, "python"], String, values.contender);
    for (const runtime of choose("runtime", RUNTIMES, String, values.runtime)) {
      await measureRuntime(runtime, cases, names, runs, quick, join(out, "results"));
    }
  }

  const measured = readResults(join(out, "results"));
  writeFileSync(join(out, "results.md"), fullReport(measured));
  for (const it of CASES) {
    const svg = await chart(it, measured);
    if (svg) writeFileSync(join(out, `${it.name}.svg`), svg);
  }
  if (!quick) {
    await writeSummary("bench", (toRoot) => summaryOf(measured, toRoot));
    await writeSummary("headline", () => headlineOf(measured));
  }
  console.log(`\n${barTable(measured)}\n\nWritten: ${join(out, "results.md")}`);
}

/** The elements of `all` that were asked for by name; all when none was. */
function choose<T>(what: string, all: readonly T[], nameOf: (it: T) => string, asked: string[] | undefined): T[] {
  const wanted = asked?.flatMap((names) => names.split(","));
  const unknown = wanted?.find((name) => !all.some((it) => nameOf(it) === name));
  if (unknown !== undefined) throw new Error(`There is no ${what} '${unknown}': ${all.map(nameOf).join(", ")}`);
  return all.filter((it) => wanted?.includes(nameOf(it)) ?? true);
}

async function measureRuntime(
  runtime: Runtime,
  cases: readonly Case[],
  names: readonly string[],
  runs: number,
  quick: boolean,
  folder: string,
): Promise<void> {
  const { deno, bun, node24 } = await runtimes();
  const command = {
    deno: [deno, "run", "--quiet", "--allow-all"],
    bun: [bun],
    node: [node24],
  }[runtime];
  const version = await versionOf(command[0]!);
  console.log(`\n${runtime} ${version}`);
  const entrants = await enrol(command, names, quick);
  const versions = contenderVersions(names);
  if (entrants.some(({ name }) => name === "python")) versions["Python"] = await versionOf("python3");
  for (const it of cases) {
    const results = await measureCase(it, entrants, runs);
    writeResults(folder, {
      ...{ case: it.name, runtime, version, runs, versions, results },
      machine: `${
        cpus()[0]?.model.trim() ?? "an unknown processor"
      }, ${availableParallelism()} cores, ${process.platform}`,
      date: new Date().toISOString().slice(0, 10),
    });
  }
}

/** The contenders, each tried with a few calls: those that hang or fail are listed as such, and cost no more time. */
async function enrol(command: readonly string[], names: readonly string[], quick: boolean): Promise<Entrant[]> {
  const entrants: Entrant[] = [];
  const size = quick ? ["quick"] : [];
  for (const name of names) {
    const python = name === "python";
    const program = python ? ["python3", join(HERE, "contenders/python.py")] : [...command, join(HERE, "measure.ts")];
    if (python && (await run("python3", ["--version"])).code !== 0) continue;
    const its = python ? { kinds: KINDS, cases: OF_PYTHON } : await contender(name);
    const cases = its.cases ?? CASES.map(({ name }) => name);
    for (const kind of its.kinds) {
      const entrant: Entrant = {
        name,
        kind,
        command: (caseName) => [...program, caseName, ...(python ? [] : [name]), kind, ...size],
        cases,
      };
      const tried = await measureOnce([...entrant.command(its.cases?.[0] ?? "sequential"), "quick"], FIRST_TIME_LIMIT);
      if (typeof tried === "string") {
        entrant.failure = tried;
        console.log(`  ${name}, ${kind}: ${tried}`);
      }
      entrants.push(entrant);
    }
  }
  return entrants;
}

async function measureCase(it: Case, entrants: readonly Entrant[], runs: number): Promise<Result[]> {
  const start = performance.now();
  process.stdout.write(`  ${it.name.padEnd(12)}`);
  const takesPart = ({ name, kind, cases }: Entrant) => cases.includes(it.name) && (it.admits?.(name, kind) ?? true);
  const entered = entrants.filter(takesPart).map((entrant) => {
    const result: Result = { contender: entrant.name, kind: entrant.kind, figures: {} };
    if (entrant.failure) result.failure = entrant.failure;
    return { entrant, result };
  });
  const failed: string[] = [];
  const wanted = Math.min(runs, it.runs ?? runs);
  for (let number = 0; number < wanted; number++) {
    for (const { entrant, result } of entered) {
      const enough = YARDSTICKS.includes(entrant.name) ? wanted : it.peerRuns ?? wanted;
      if (result.failure || number >= enough) continue;
      const figures = await measureOnce(entrant.command(it.name), TIME_LIMIT);
      if (typeof figures === "string") {
        result.failure = figures;
        failed.push(`    ${entrant.name}, ${entrant.kind}: ${figures}`);
        // A pool would hang again, and each time costs the whole limit.
        if (figures.startsWith("hangs") && !YARDSTICKS.includes(entrant.name)) entrant.failure = figures;
      } else for (const [figure, value] of Object.entries(figures)) (result.figures[figure] ??= []).push(value);
    }
    process.stdout.write(".");
  }
  console.log(`  (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  for (const line of failed) console.log(line);
  return entered.map(({ result }) => result);
}

/** The figures of one process, or why it has none. */
async function measureOnce([command, ...args]: readonly string[], limit: number): Promise<Figures | string> {
  const { code, timedOut, output } = await runAlone(command!, args, limit);
  const lines = output.trim().split("\n");
  const figures = lines.findLast((line) => line.startsWith("{"));
  if (timedOut) return `hangs (${limit / 1000} s)`;
  if (code === 0 && figures) return JSON.parse(figures);
  const error = lines.find((line) => /error: /i.test(line)) ?? lines.find((line) => line.trim() !== "") ??
    "without a word";
  return `fails: ${error.trim().replaceAll(ROOT, "").replaceAll("|", "/").slice(0, 100)}`;
}

async function versionOf(command: string): Promise<string> {
  return /\d+(\.\d+)+/.exec((await run(command, ["--version"])).output)?.[0] ?? "unknown";
}

function contenderVersions(names: readonly string[]): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(HERE, "contenders/package.json"), "utf8"));
  return Object.fromEntries(Object.entries<string>(dependencies).filter(([name]) => names.includes(name)));
}

await main();
