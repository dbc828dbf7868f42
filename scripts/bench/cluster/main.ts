// deno-lint-ignore-file no-console -- a program prints
// `deno task bench:cluster`: the executor across machines against BullMQ by hand, on each runtime, with a Redis server of its
// own. Both take turns in each run, so that what else the machine does meets both alike.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { HOW_TO_INSTALL_REDIS, redisProgram, RedisServer } from "../../../tests/support/redis_server.ts";
import { ROOT } from "../../install.ts";
import { mustRun } from "../../run.ts";
import { runtimes } from "../../runtimes.ts";
import { ratio, type Runtime, RUNTIME_NAMES, RUNTIMES } from "../results.ts";
import { runAlone } from "../run_alone.ts";
import { CONSUMERS, costOf, idleIn } from "./contender.ts";
import type { ContenderName } from "./contenders.ts";
import type { ClusterFigures } from "./measure.ts";

const HELP = `deno task bench:cluster [--runtime node|deno|bun]... [--runs <number>] [--quick]

  --runtime         only this one; several by repeating the option
  --runs <number>   runs of each contender (5; 1 with --quick)
  --quick           small numbers, to try the suite itself; nothing is written

The result is written to bench/cluster.md, where those of other runtimes stay as they are.`;

/** A process that has not ended by then is ended, in milliseconds. */
const TIME_LIMIT = 180_000;

/** The figures of each run, by contender. */
type Runs = Record<ContenderName, ClusterFigures[]>;

/** A row of the table: what was reached, what that is compared with, and the bar, where there is one. */
interface Row {
  readonly title: string;
  readonly unit: string;
  readonly of: Place;
  readonly to: Place;
  readonly bar?: readonly [sense: ">=" | "<=", limit: number];
}

/** Where a figure is found, and how often it is taken. */
interface Place {
  readonly contender: ContenderName;
  readonly figure: string;
  readonly times?: number;
}

/** How a contender is called. */
const NAMES: Record<ContenderName, string> = { ours: "the executor", plain: "by hand", threads: "by hand, in threads" };

const ROWS: readonly Row[] = [
  ...byHand("burst of 10,000 trivial calls", "calls/s", "burst", "burst", [">=", 0.9]),
  ...byHand("`map` of 10,000 trivial items", "items/s", "map", "burst", [">=", 0.9]),
  ...byHand("round trip of one call", "ms", "one by one", "one by one", ["<=", 1.15]),
  {
    title: "`map` of 50,000 trivial items in chunks of 100",
    unit: "items/s",
    of: { contender: "ours", figure: "chunks" },
    to: { contender: "ours", figure: "burst" },
    bar: [">=", 10],
  },
  scaling("ours", "work", 2, [">=", 0.9]),
  scaling("plain", "work", 2),
  scaling("threads", "work", 2),
  scaling("ours", "sleep", 2, [">=", 0.9]),
  scaling("ours", "sleep", 4, [">=", 0.9]),
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runtime: { type: "string", multiple: true },
      runs: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (!redisProgram) throw new Error(`Cannot measure as ${HOW_TO_INSTALL_REDIS}`);

  const file = join(ROOT, "bench", "cluster.md");
  const sections = existsSync(file) ? readSections(readFileSync(file, "utf8")) : new Map<string, string>();
  for (const runtime of RUNTIMES.filter((name) => values.runtime?.includes(name) ?? true)) {
    const { title, runs } = await measureRuntime(runtime, Number(values.runs ?? (values.quick ? 1 : 5)), values.quick);
    const section = `## ${title}\n\n${conditions()}\n\n${table(runs)}\n\n${costs(runs)}`;
    console.log(`\n\n${section}\n`);
    sections.set(RUNTIME_NAMES[runtime], section);
  }
  if (values.quick) return;
  mkdirSync(join(ROOT, "bench"), { recursive: true });
  const known = RUNTIMES.flatMap((runtime) => sections.get(RUNTIME_NAMES[runtime]) ?? []);
  writeFileSync(file, `${[HEAD, ...known].join("\n\n")}\n`);
  console.log(`Written: ${file}`);
}

/** What was measured before, by runtime: the others stay as they are when one is measured anew. */
function readSections(text: string): Map<string, string> {
  return new Map(text.split(/^(?=## )/m).slice(1).map((section) => [section.split(" ")[1]!, section.trim()]));
}

async function measureRuntime(runtime: Runtime, count: number, quick: boolean): Promise<{ title: string; runs: Runs }> {
  const { deno, bun, node24 } = await runtimes();
  const command = { deno: [deno, "run", "--quiet", "--allow-all"], bun: [bun], node: [node24] }[runtime];
  const version = /\d+(\.\d+)+/.exec(await mustRun(command[0]!, ["--version"]))![0];
  const runs: Runs = { ours: [], plain: [], threads: [] };
  process.stdout.write(`${RUNTIME_NAMES[runtime]} ${version} `);
  for (let run = 0; run < count; run++) {
    for (const contender of Object.keys(runs) as ContenderName[]) {
      // What one leaves behind must not slow the other.
      await using server = await RedisServer.start();
      const args = [...command.slice(1), join(import.meta.dirname!, "measure.ts"), contender, server.url];
      const { code, output } = await runAlone(command[0]!, [...args, ...(quick ? ["quick"] : [])], TIME_LIMIT);
      const figures = output.split("\n").findLast((line) => line.startsWith("{"));
      if (code !== 0 || !figures) throw new Error(`Cannot measure ${contender} on ${runtime}: ${code}\n${output}`);
      runs[contender].push(JSON.parse(figures));
      process.stdout.write(".");
    }
  }
  return { title: `${RUNTIME_NAMES[runtime]} ${version}`, runs };
}

function byHand(title: string, unit: string, figure: string, other: string, bar: Row["bar"]): Row[] {
  const of = { contender: "ours", figure } as const;
  return [
    { title, unit, of, to: { contender: "plain", figure: other }, ...(bar && { bar }) },
    { title, unit, of, to: { contender: "threads", figure: other } },
  ];
}

function scaling(contender: ContenderName, task: "work" | "sleep", hosts: number, bar?: Row["bar"]): Row {
  return {
    title: `calls that ${task === "work" ? "use a core" : "sleep"} for 5 ms, ${hosts} hosts of one worker`,
    unit: "calls/s",
    of: { contender, figure: `${task}, ${hosts}` },
    to: { contender, figure: `${task}, 1`, times: hosts },
    ...(bar && { bar }),
  };
}

function table(runs: Runs): string {
  const rows = ROWS.map(({ title, unit, of, to, bar }) => {
    const reached = ratio(valuesOf(runs, of), valuesOf(runs, to));
    return [title, cell(runs, of, unit), cell(runs, to, unit), `${reached.toFixed(2)}${verdict(reached, bar)}`];
  });
  return markdown(["case", "reached", "compared with", "ratio (bar)"], rows);
}

/** The cases whose processor time is shown. */
const COSTS = [
  ["burst", "burst"],
  ["chunks", "chunks of 100"],
  ["trips", "round trip"],
  ["work, 2", "5 ms of a core, 2 hosts"],
] as const;

/** What limits the cases in which all share the same cores. */
function costs(runs: Runs): string {
  const rows = COSTS.flatMap(([figure, title]) =>
    Object.entries(runs).filter(([, all]) => all.every((figures) => figure in figures)).map(([contender, all]) => {
      const costs = all.map((figures) => CONSUMERS.map((who) => figures[costOf(figure, who)]!));
      const sum = median(costs.map((each) => each.reduce((sum, cost) => sum + cost)));
      const idle = median(all.map((figures) => figures[idleIn(figure)]!));
      return [
        `${title}: ${NAMES[contender as ContenderName]}`,
        ...CONSUMERS.map((_, i) => format(median(costs.map((each) => each[i]!)))),
        format(sum),
        `${Math.round(idle * 100)} %`,
      ];
    })
  );
  return markdown(["processor time of one call, in µs", ...CONSUMERS, "together", "idle"], rows);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function valuesOf(runs: Runs, { contender, figure, times = 1 }: Place): number[] {
  return runs[contender].map((figures) => figures[figure]! * times);
}

function cell(runs: Runs, place: Place, unit: string): string {
  const name = place.times ? `${place.times} times one host` : NAMES[place.contender];
  return `${name}: ${format(median(valuesOf(runs, place)))} ${unit}`;
}

function verdict(reached: number, bar: Row["bar"]): string {
  if (!bar) return "";
  const [sense, limit] = bar;
  const met = sense === ">=" ? reached >= limit : reached <= limit;
  return ` (${sense} ${limit}${met ? "" : ", missed"})`;
}

const HEAD = `# The executor across machines, against BullMQ by hand

Written by \`deno task bench:cluster\`: one Redis server, hosts and submitter on one machine. By hand means \`addBulk\`, a
\`Worker\` that runs 100 trivial calls at the same time in its own thread, and a \`QueueEvents\`. The executor's hosts run the
calls in threads of their own, so that no task keeps the host from renewing its locks. What that takes at least is shown
by a third: the same by hand, with one message to a bare thread and one back for each call. In a burst, host, submitter and
Redis keep the same cores busy, so that its rate is what the processor time of one call leaves.

Calls that use a core scale while cores last. Hosts, submitter and Redis share those of this machine: where nobody is idle,
there is no more to be had. Calls that sleep show how the rest scales.

Figures are medians of several runs, ratios medians of the ratios within each run.`;

function conditions(): string {
  const processor = cpus()[0]?.model.trim() ?? "an unknown processor";
  return `Measured on ${new Date().toISOString().slice(0, 10)}, on ${processor}, ${availableParallelism()} cores.`;
}

/** Three digits say more than was measured, mostly. */
function format(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
}

await main();
