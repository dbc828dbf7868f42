// What a random map() is made of.

import type { NetworkStep } from "./network_steps.ts";
import type { Pace } from "./tracked_input.ts";

/** What the call of an item does; the last two are about the item itself: it cannot be sent, or has a getter. */
export type ItemKind = "instant" | "long" | "later" | "held" | "throws" | "rejects" | "unsendable" | "getter";

/** What ends the iteration, or may. */
export type Ending = "return" | "abort" | "shutdown" | "cancel" | "kill";

/** What code of the user does in the middle of things. */
export type DeedKind = Ending | "next" | "submit";

/** Where it does so: within the n-th next() of the first or the last input, in return(), or in the getter of an item. */
export type DeedPlace = "first" | "next" | "return" | "getter";

/** A deed. */
export interface Deed {
  readonly kind: DeedKind;
  readonly where: DeedPlace;
  readonly at: number;
}

/** One step of a plan. */
export type MapStep =
  | NetworkStep
  | { readonly kind: "next"; readonly count: number }
  | { readonly kind: Ending | "submit" | "give" };

/** A map(), and what is done meanwhile. */
export interface MapPlan {
  readonly claims: boolean;
  readonly maxWorkers: number;
  readonly maxQueue: number | undefined;
  /** Whether the calls are those of with(). */
  readonly configured: boolean;
  readonly items: readonly ItemKind[];
  /** How the last input gives its items; it is sync without. */
  readonly pace: Pace | undefined;
  /** The length of a second input, which is the last then, and how the first gives its items. */
  readonly second: number | undefined;
  readonly firstPace: Pace | undefined;
  /** The item at which the last input fails. */
  readonly failsAt: number | undefined;
  /** Whether return() of the inputs throws. */
  readonly closeThrows: boolean;
  readonly deeds: readonly Deed[];
  readonly chunksize: number | undefined;
  readonly buffersize: number | undefined;
  readonly ordered: boolean;
  readonly settled: boolean;
  readonly timeout: number | undefined;
  readonly steps: readonly MapStep[];
}
