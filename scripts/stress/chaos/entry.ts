// The calls and maps of a round, as the program knows them.

import type { Future, FutureOutcome } from "../../../mod.ts";
import { outcomeOf as outcomeOfSettled } from "../../../tests/support/outcome.ts";
import type { Job, Limits, MapPlan } from "./plan.ts";

/** A promise or an iterator has told how a call ended. */
export type Told = PromiseSettledResult<unknown>;

/** One call, as the program knows it. */
export interface Entry {
  readonly job: Job;
  readonly limits: Limits;
  /** None: it is an item of a map. */
  future?: Future<unknown>;
  /** What the Future's promise or the map has told. */
  told?: Told;
  /** Whether somebody looks at the Future. */
  readonly looked: boolean;
  /** It was cancelled before it had begun, as cancel() or the signal's abort has shown at once. */
  withdrawn?: boolean;
  readonly signal?: AbortSignal;
  /** It is of a group, which tells of its failure. */
  readonly grouped?: boolean;
}

/** How a map ended. */
export interface MapEnd {
  readonly plan: MapPlan;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
  readonly entries: readonly Entry[];
  /** The calls whose results came, in the order in which they came; `undefined` where nobody can say. */
  readonly came: (Entry | undefined)[];
  how: "complete" | "left" | "failed" | undefined;
  reason?: unknown;
}

/** How a call ended, as far as the program was told. */
export function outcomeOf({ future, told, signal }: Entry): FutureOutcome<unknown> | undefined {
  return future ? future.outcome : told && outcomeOfSettled(told, signal);
}

/** Whether this is of a broken executor. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && /^Broken(Thread|Process)Pool$/.test(error.name);
}
