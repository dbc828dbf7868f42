// What the program of a chaos run says: a line after each round, then what came of it all.

import type { Sample } from "../lib/sample.ts";
import type { Verdict } from "../lib/verdict.ts";

/** The result of a run on one runtime and backend. */
export interface Outcome extends Verdict {
  readonly rounds: number;
  readonly seconds: number;
  /** Memory and handles between rounds, in the second and the last quarter; none when there were few rounds. */
  readonly level?: { readonly early: Sample; readonly late: Sample };
}

/** A line of its output. */
export type Line =
  | { readonly elapsed: number; readonly rounds: number; readonly workersLost: number }
  | { readonly outcome: Outcome; readonly version: string };
