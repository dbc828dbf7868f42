// What the program of a soak says.

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
