// What was measured: one JSON file for each program, runtime and backend.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Outcome } from "../chaos/outcome.ts";
import { ROOT } from "../../install.ts";
import type { programOf, SoakOutcome } from "../soak/outcome.ts";
import type { Target } from "./target.ts";

/** Where the figures are that the README shows; short runs have a folder of their own, which is not kept. */
export const RESULTS: string = join(ROOT, "reliability");
export const QUICK_RESULTS: string = join(RESULTS, "quick");

/** Where and when a run took place. */
interface Conditions extends Target {
  readonly version: string;
  readonly machine: string;
  readonly date: string;
}

export interface ChaosResult extends Conditions {
  readonly program: "chaos" | "chaos-lying";
  readonly seed: number;
  readonly outcome: Outcome;
}

export interface SoakResult extends Conditions {
  readonly program: ReturnType<typeof programOf>;
  readonly outcome: SoakOutcome;
}

export type Result = ChaosResult | SoakResult;

/** The conditions of a run that ends now. */
export function conditions({ runtime, backend }: Target, version: string): Conditions {
  const cpu = cpus()[0]?.model.trim() ?? "an unknown processor";
  return {
    ...{ runtime, backend, version },
    machine: `${cpu}, ${availableParallelism()} cores, ${process.platform}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Keeps a result; it takes the place of the one before. */
export function writeResult(folder: string, result: Result): void {
  mkdirSync(folder, { recursive: true });
  const { program, runtime, backend } = result;
  writeFileSync(join(folder, `${program}.${runtime}.${backend}.json`), JSON.stringify(result, null, 1) + "\n");
}

/** All results there are. */
export function readResults(folder: string = RESULTS): Result[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((file) => file.endsWith(".json")).sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
}
