// Says what was measured: tables in Markdown, the table of bars, and the summary for readers.

import { median } from "simple-statistics";
import { BARS, type FigureName, isMet, PEERS_BURST } from "./bars.ts";
import type { Case } from "./case.ts";
import { CASES } from "./cases.ts";
import { IN_ORDER } from "./cases/patterns.ts";
import { KINDS } from "./contender.ts";
import { type Measured, ratio, type Result, type Results, RUNTIME_NAMES, RUNTIMES } from "./results.ts";

/** A runtime with its version, as measured. */
export function runtimeName({ runtime, version }: Results): string {
  return `${RUNTIME_NAMES[runtime]} ${version}`;
}

/** The whole of bench/results.md. */
export function fullReport(measured: Measured): string {
  return [
    "# How fast",
    "Written by `deno task bench`. Figures are medians of several runs, ratios medians of the ratios within each run. " +
    "`ours` is `@concurrent/futures`, `bare` the runtime's own workers with nothing around them.",
    conditions(measured.all),
    "## The bars",
    barTable(measured),
    "What runtimes and machine take by themselves, and which rows that limits, is [at the end]" +
    `(#${CASES.at(-1)!.title.toLowerCase().replaceAll(" ", "-")}).`,
    ...CASES.flatMap((it) => caseReport(it, measured)),
  ].join("\n\n") + "\n";
}

function caseReport(it: Case, measured: Measured): string[] {
  const found = RUNTIMES.flatMap((runtime) => measured.of(it, runtime) ?? []);
  if (found.length === 0) return [];
  return [
    `## ${it.title}`,
    `In ${it.unit}${it.by ? ` by ${it.by}` : ""}.${it.note ? ` ${it.note}` : ""}`,
    `![${it.title}](${it.name}.svg)`,
    ...found.map((results) => `### ${runtimeName(results)}\n\n${caseTable(it, results)}`),
  ];
}

function caseTable({ unit }: Case, { results }: Results): string {
  const figures = [...new Set(results.flatMap((result) => Object.keys(result.figures)))];
  const rows = results.map((result) => [
    result.contender,
    result.kind,
    ...(result.failure ? [result.failure] : figures.map((figure) => format(middle(result, figure)))),
  ]);
  return table(["", "workers", ...figures.map((figure) => figure || unit)], rows);
}

/** The bars and what was reached, for each runtime; what the bare channel reached is told where it misses the bar itself. */
export function barTable(measured: Measured): string {
  const runtimes = RUNTIMES.filter((runtime) => measured.all.some((it) => it.runtime === runtime));
  return table(
    ["case", ...runtimes.flatMap((runtime) => [RUNTIME_NAMES[runtime], "bar"])],
    BARS.map((bar) => [
      bar.title,
      ...runtimes.flatMap((runtime) => {
        const reached = bar.reached(measured, runtime);
        const mark = Number.isNaN(reached) ? "" : isMet(bar, runtime, reached) ? " ✓" : " ✗";
        const floor = bar.floor?.(measured, runtime) ?? NaN;
        const missed = Number.isNaN(floor) || isMet(bar, runtime, floor) ? "" : ` (bare: ${format(floor)}${bar.unit})`;
        return [format(reached) + (mark && bar.unit + mark + missed), `${bar.sense} ${bar.limit(runtime)}${bar.unit}`];
      }),
    ]),
  );
}

/** What readers see first: a title, the figure of ours, and that of the other pools. */
const SHOWN: readonly (readonly [title: string, ours: FigureName, peers: FigureName])[] = [
  ["burst of 100,000 calls, `Promise.all`", ["burst", "100000"], PEERS_BURST],
  ["the same, awaited in order", ["patterns", IN_ORDER], ["patterns", IN_ORDER]],
  ["`map` of 200,000 items", ["map", ""], PEERS_BURST],
  ["one call after another", ["sequential", ""], ["sequential", ""]],
];

/** The table of README. */
export function headlineOf(measured: Measured): string {
  const runtimes = RUNTIMES.filter((runtime) => measured.all.some((it) => it.runtime === runtime));
  const rows = KINDS.flatMap((kind) =>
    SHOWN.map(([title, [name, figure], [peersName, peersFigure]]) => [
      `${title}, ${kind}`,
      ...runtimes.map((runtime) => {
        const ours = measured.values(name, runtime, "ours", kind, figure);
        const peer = measured.bestPeer(peersName, runtime, kind, peersFigure);
        if (ours.length === 0 || peer.values.length === 0) return "-";
        return `**${format(median(ours))}** (${peer.name} ${format(median(peer.values))}: ` +
          `${format(ratio(ours, peer.values))} x)`;
      }),
    ])
  );
  return [
    "Trivial calls on two workers: calls or items a second, and in brackets the best of the other pools.",
    table(["", ...runtimes.map((runtime) => RUNTIME_NAMES[runtime])], rows),
  ].join("\n\n");
}

/** The summary for readers: the table of README, and what it was measured with. */
export function summaryOf(measured: Measured, toRoot: string): string {
  return [
    headlineOf(measured),
    CASES.find(({ name }) => name === "sequential")!.note!,
    `![Bursts of trivial calls](${toRoot}bench/burst.svg)`,
    `${
      conditions(measured.all.filter((it) => SHOWN.some(([, [name]]) => name === it.case)))
    } All cases, contenders and figures: [bench/results.md](${toRoot}bench/results.md).`,
  ].join("\n\n");
}

/** Machine, versions and date; with several machines, what was measured on which. */
function conditions(results: readonly Results[]): string {
  const distinct = (texts: string[]) => [...new Set(texts)];
  const machines = distinct(results.map((it) => it.machine)).map((machine) => {
    const there = results.filter((it) => it.machine === machine);
    const cases = distinct(there.map((it) => it.case)).map((name) => {
      const here = there.filter((it) => it.case === name);
      const partial = here.length < results.filter((it) => it.case === name).length;
      return partial ? `${name} of ${here.map((it) => RUNTIME_NAMES[it.runtime]).join(" and ")}` : name;
    });
    const what = there.length < results.length ? ` for ${cases.join(", ")}` : "";
    return `on ${machine}${what} (${distinct(there.map((it) => it.date)).join(", ")})`;
  });
  const versions = results.flatMap((it) => Object.entries(it.versions).map(([name, version]) => `${name} ${version}`));
  return `Measured ${machines.join("; ")}, with ${distinct(results.map(runtimeName)).join(", ")}; ` +
    `${distinct(versions).join(", ")}.`;
}

function middle({ figures }: Result, figure: string): number {
  const values = figures[figure];
  return values ? median(values) : NaN;
}

/** Three digits say more than was measured, mostly. */
function format(value: number): string {
  if (Number.isNaN(value)) return "-";
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]) => `| ${head.map((_, i) => (row[i] ?? "").padEnd(width[i]!)).join(" | ")} |`;
  return [line(head), `| ${width.map((w) => "-".repeat(w)).join(" | ")} |`, ...rows.map(line)].join("\n");
}
