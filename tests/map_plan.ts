// What a random map() is made of.

/** What the call of an item does. */
export type ItemKind = "instant" | "long" | "later" | "held" | "throws" | "rejects";

/** One step of a plan. A `choice` is taken modulo the number of things to choose from. */
export type MapStep =
  | { readonly kind: "deliver"; readonly choices: readonly number[] }
  | { readonly kind: "open"; readonly choice: number }
  | { readonly kind: "next"; readonly count: number }
  | { readonly kind: "return" | "abort" | "shutdown" | "submit" }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "die"; readonly choice: number; readonly share: number };

/** A map(), and what is done meanwhile. */
export interface MapPlan {
  readonly claims: boolean;
  readonly maxWorkers: number;
  readonly maxQueue: number | undefined;
  readonly items: readonly ItemKind[];
  readonly async: boolean;
  /** The length of a second input. */
  readonly second: number | undefined;
  /** The item at which the last input fails. */
  readonly failsAt: number | undefined;
  readonly chunksize: number | undefined;
  readonly buffersize: number | undefined;
  readonly ordered: boolean;
  readonly settled: boolean;
  readonly timeout: number | undefined;
  readonly steps: readonly MapStep[];
}
