// What the program of a soak says.

/** What is soaked: bursts of calls and maps; streams, read to their end and left; groups; broadcasts, and
 * resizes; reports, heard to their end and cut off. */
export const SOAKS = ["calls", "streams", "groups", "workers", "reports"] as const;
export type Soak = typeof SOAKS[number];

/** How the results of a soak are kept. */
export const programOf = (soak: Soak) => soak === "calls" ? "soak" as const : `soak-${soak}` as const;

/** How much one call of the first is worth: the others do more for each. */
export const SHARE: Readonly<Record<Soak, number>> = { calls: 1, streams: 1, groups: 0.1, workers: 0.001, reports: 1 };

/** Memory after so many calls, of the program and its worker processes, in MiB. */
export interface Point {
  readonly calls: number;
  readonly rss: number;
}

/** A line of its output. */
export type SoakLine = Point | { readonly done: true; readonly version: string; readonly problem?: string };

/** The result on one runtime and backend. */
export interface SoakOutcome {
  readonly calls: number;
  readonly seconds: number;
  readonly points: readonly Point[];
  /** MiB per million calls: a line through the points of the second half. */
  readonly slope: number;
  readonly problems: readonly string[];
}
