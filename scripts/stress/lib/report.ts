// The table for readers, from what the chaos run and the soak have kept.

import { CRASHES } from "../chaos/plan.ts";
import { programOf, type Soak, SOAKS } from "../soak/outcome.ts";
import { writeSummary } from "../../summary.ts";
import { type ChaosResult, readResults, type Result, type SoakResult } from "./results.ts";
import { BACKENDS, RUNTIMES, type Target } from "./target.ts";

const NAMES = { deno: "Deno", bun: "Bun", node: "Node" } as const;

const LONGER: Readonly<Record<Exclude<Soak, "calls">, string>> = {
  streams: "values of streams",
  groups: "calls of groups",
  workers: "broadcasts, each after a resize",
  reports: "reports",
};

/** Writes the summary into the page that shows it. */
export async function reportToReaders(): Promise<void> {
  await writeSummary("reliability", () => summaryOf(readResults()));
}

function summaryOf(results: readonly Result[]): string {
  const targets = RUNTIMES.flatMap((runtime) => BACKENDS.map((backend) => ({ runtime, backend })))
    .filter((target) => results.some((result) => isOf(target)(result)));
  const chaos = targets.map((target) =>
    results.find((it): it is ChaosResult => it.program === "chaos" && isOf(target)(it))
  );
  const lying = targets.map((target) =>
    results.find((it): it is ChaosResult => it.program === "chaos-lying" && isOf(target)(it))
  );
  const soak = targets.map((target) =>
    results.find((it): it is SoakResult => it.program === "soak" && isOf(target)(it))
  );
  const longer = SOAKS.filter((what) => what !== "calls").flatMap((what): [title: string, cells: string[]][] => {
    const soaked = targets.map((target) =>
      results.find((it): it is SoakResult => it.program === programOf(what) && isOf(target)(it))
    );
    if (!soaked.some((it) => it)) return [];
    const cells = soaked.map((it) => it ? `${format(it.outcome.calls)}: ${halfAndEnd(it)}` : "-");
    return [[`the same of ${LONGER[what]}: MiB resident, after the half and at the end`, cells]];
  });
  const ofChaos = (cell: (result: ChaosResult) => string) => chaos.map((it) => it ? cell(it) : "-");
  const injected = (...kinds: readonly string[]) => ofChaos(({ outcome }) => sum(outcome.injected, kinds));
  const survived = (...kinds: readonly string[]) => ofChaos(({ outcome }) => sum(outcome.survived, kinds));
  const level = (what: "rss" | "files", digits: number) =>
    ofChaos(({ outcome: { level } }) =>
      level ? `${level.early[what].toFixed(digits)}, ${level.late[what].toFixed(digits)}` : "-"
    );
  const rows: [title: string, cells: string[]][] = [
    ["**injected**, in minutes", ofChaos(({ outcome }) => (outcome.seconds / 60).toFixed(0))],
    ["executors made and shut down", ofChaos(({ outcome }) => format(outcome.rounds))],
    ["of these by `terminateWorkers()`, `killWorkers()`", injected("terminateWorkers", "killWorkers")],
    ["calls", survived("calls")],
    ["tasks that end their worker", injected(...CRASHES)],
    ["workers killed from outside", injected("killed from outside")],
    ["calls cancelled or aborted", survived("cancelled", "aborted")],
    ["calls out of time", survived("timed out")],
    ["**survived**: workers lost and replaced", survived("workers lost")],
    ["threads that could not be stopped", survived("workers abandoned")],
    ["calls lost with their worker", survived("lost with their worker", "lost, perhaps begun")],
    ["calls that returned by a retry", survived("by a retry")],
    [
      "wrong: unsettled, run twice, lost, exchanged, left behind",
      ofChaos(({ outcome }) => `${outcome.problems.length}`),
    ],
    [
      "the same with calls that take much longer than those before them: calls, wrong",
      lying.map((it) => it ? `${format(it.outcome.survived["calls"] ?? 0)}, ${it.outcome.problems.length}` : "-"),
    ],
    ["MiB resident, in the second and the last quarter", level("rss", 0)],
    ["open files, in the same", level("files", 0)],
    ["**soak**, in millions of calls", soak.map((it) => it ? format(it.outcome.calls / 1e6) : "-")],
    ["MiB resident, after the half and at the end", soak.map((it) => it ? halfAndEnd(it) : "-")],
    ["growth from there, in MiB per million calls", soak.map((it) => it ? it.outcome.slope.toFixed(2) : "-")],
    ...longer,
  ];
  const measured = rows.filter(([, cells]) => cells.some((cell) => cell !== "-"));
  const head = ["", ...targets.map(({ runtime, backend }) => `${NAMES[runtime]}, ${backend}`)];
  return [
    [head, head.map(() => "---"), ...measured.map(([title, cells]) => [title, ...cells])]
      .map((row) => `| ${row.join(" | ")} |`).join("\n"),
    conditionsOf(results),
  ].join("\n\n");
}

function halfAndEnd({ outcome: { points } }: SoakResult): string {
  return [points[Math.floor(points.length / 2)], points.at(-1)].map((point) => point?.rss.toFixed(0)).join(", ");
}

function isOf({ runtime, backend }: Target): (result: Result) => boolean {
  return (result) => result.runtime === runtime && result.backend === backend;
}

function sum(counts: Record<string, number>, kinds: readonly string[]): string {
  return format(kinds.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0));
}

function format(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 1 });
}

/** Machine, versions, dates and seeds. */
function conditionsOf(results: readonly Result[]): string {
  const distinct = (texts: readonly string[]) => [...new Set(texts)].join(", ");
  const seeds = distinct(results.flatMap((it) => "seed" in it ? [String(it.seed)] : []));
  return `Measured on ${distinct(results.map(({ date }) => date))}, on ${
    distinct(results.map(({ machine }) => machine))
  }, ` +
    `with ${
      distinct(results.map(({ runtime, version }) => `${NAMES[runtime]} ${version}`))
    }; chaos with seed ${seeds}.`;
}
