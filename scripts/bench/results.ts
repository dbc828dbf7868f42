// What was measured: one JSON file for each case and runtime, and how figures are looked up in them.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "simple-statistics";
import type { Case } from "./case.ts";
import { CASES } from "./cases.ts";
import { CONTENDERS, type Kind } from "./contender.ts";

/** The runtimes, as they are listed. */
export const RUNTIMES = ["node", "deno", "bun"] as const;
export type Runtime = typeof RUNTIMES[number];
export const RUNTIME_NAMES: Readonly<Record<Runtime, string>> = { node: "Node", deno: "Deno", bun: "Bun" };

/** What one contender reached with one kind of workers. */
export interface Result {
  readonly contender: string;
  readonly kind: Kind;
  /** For each figure, its value in each run. */
  readonly figures: Record<string, number[]>;
  /** Why there are no figures. */
  failure?: string;
}

/** One case on one runtime. */
export interface Results {
  readonly case: string;
  readonly runtime: Runtime;
  /** Of the runtime. */
  readonly version: string;
  readonly machine: string;
  readonly date: string;
  readonly runs: number;
  readonly versions: Record<string, string>;
  readonly results: Result[];
}

export function writeResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${results.case}.${results.runtime}.json`), JSON.stringify(results, null, 1) + "\n");
}

/** All results there are, cases in their order. */
export function readResults(folder: string): Measured {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return new Measured(files.map((file) => JSON.parse(readFileSync(join(folder, file), "utf8"))));
}

/** Looks up what was measured. */
export class Measured {
  readonly all: readonly Results[];

  constructor(all: Results[]) {
    const place = (it: Results) => CASES.findIndex(({ name }) => name === it.case) * 10 + RUNTIMES.indexOf(it.runtime);
    this.all = all.sort((a, b) => place(a) - place(b));
  }

  of({ name }: Case, runtime: Runtime): Results | undefined {
    return this.all.find((it) => it.case === name && it.runtime === runtime);
  }

  /** The values of one figure in each run; none when it was not measured. */
  values(caseName: string, runtime: Runtime, contender: string, kind: Kind, figure = ""): readonly number[] {
    const results = this.all.find((it) => it.case === caseName && it.runtime === runtime)?.results;
    return results?.find((it) => it.contender === contender && it.kind === kind)?.figures[figure] ?? [];
  }

  /** The other pools' best of one figure: the one with the highest median. Python is not on that runtime. */
  bestPeer(caseName: string, runtime: Runtime, kind: Kind, figure = ""): { name: string; values: readonly number[] } {
    const peers = CONTENDERS.filter((name) => name !== "ours" && name !== "bare")
      .map((name) => ({ name, values: this.values(caseName, runtime, name, kind, figure) }))
      .filter(({ values }) => values.length > 0);
    return peers.sort((a, b) => median(b.values) - median(a.values))[0] ?? { name: "none", values: [] };
  }
}

/** The median of the ratios within each run: what changes on the machine meanwhile cancels out. NaN without figures. */
export function ratio(above: readonly number[], below: readonly number[]): number {
  const ratios = above.slice(0, below.length).map((value, run) => value / below[run]!);
  return ratios.length > 0 ? median(ratios) : NaN;
}
