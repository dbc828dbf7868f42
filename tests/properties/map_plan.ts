// The plan of a random map().

import type { ClaimsKind } from "../support/memory_channel.ts";
import type { NetworkStep } from "./network_steps.ts";
import type { Pace } from "./tracked_input.ts";

/** What the call of an item does. The last two are about the item itself: it cannot be sent, or it has a getter. */
export type ItemKind = "instant" | "long" | "later" | "held" | "throws" | "rejects" | "unsendable" | "getter";

/** Something that ends the iteration, or may. */
export type Ending = "return" | "abort" | "shutdown" | "cancel" | "kill";

/** What user code does while the library calls it. */
export type DeedKind = Ending | "next" | "submit";

/** Where user code does so: in the n-th next() of the first or last input, in return(), or in the getter of an item. */
export type DeedPlace = "first" | "next" | "return" | "getter";

/** Something that user code does, and where. */
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

/** A map(), and what happens meanwhile. */
export interface MapPlan {
  readonly claims: ClaimsKind;
  readonly maxWorkers: number;
  readonly maxQueue: number | undefined;
  /** Whether map() is called on the result of with(). */
  readonly configured: boolean;
  readonly items: readonly ItemKind[];
  /** The pace of the last input, which is sync when this is absent. */
  readonly pace: Pace | undefined;
  /** The length of the second input, which is the last one then, and the pace of the first. */
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
