// What the chaos program across machines says in the end.

/** Its result. */
export interface ClusterOutcome {
  /** Calls by what came of them. */
  readonly done: Readonly<Record<string, number>>;
  /** What befell hosts and Redis. */
  readonly injected: Readonly<Record<string, number>>;
  /** Empty when everything is right. */
  readonly problems: readonly string[];
}
