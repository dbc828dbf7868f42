// What comes of a chaos run.

/** Counts, by what is counted. */
export type Counts = Record<string, number>;

/** What came of a run, or of a part of it. */
export interface Verdict {
  readonly injected: Counts;
  readonly survived: Counts;
  /** Empty when everything is right. */
  readonly problems: readonly string[];
}

/** Counts something; nothing when there is no name for it. */
export function count(counts: Counts, what: string | undefined, by = 1): void {
  if (what !== undefined && by > 0) counts[what] = (counts[what] ?? 0) + by;
}
