// What the library is held to: the rows of the table in which its bars are set, and what was reached of each.

import { median } from "simple-statistics";
import { IN_PARTS } from "./cases/cpu.ts";
import { keptOf } from "./cases/limits.ts";
import { type Kind, KINDS } from "./contender.ts";
import { type Measured, ratio, type Runtime } from "./results.ts";

/** One row. */
export interface Bar {
  readonly title: string;
  readonly sense: ">=" | "<=";
  readonly unit: string;
  limit(runtime: Runtime): number;
  /** NaN where it was not measured. */
  reached(measured: Measured, runtime: Runtime): number;
  /** The same figure of the bare channel, which has no more than this: where it misses the bar, so does the runtime. */
  floor?(measured: Measured, runtime: Runtime): number;
}

const perKind = (make: (kind: Kind) => Bar): Bar[] => KINDS.map(make);

/** A figure that every contender has by itself. */
const alike = (figure: (measured: Measured, runtime: Runtime, contender: string) => number) => ({
  reached: (measured: Measured, runtime: Runtime) => figure(measured, runtime, "ours"),
  floor: (measured: Measured, runtime: Runtime) => figure(measured, runtime, "bare"),
});

export const BARS: readonly Bar[] = [
  ...perKind((kind) => ({
    title: `burst of 100,000 calls / best other pool's, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 10,
    reached: (measured, runtime) =>
      ratio(
        measured.values("burst", runtime, "ours", kind, "100000"),
        measured.bestPeer("burst", runtime, kind, "100000").values,
      ),
  })),
  ...perKind((kind) => ({
    title: `map of 200,000 items / best other pool's burst, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 20,
    ...alike((measured, runtime, contender) =>
      ratio(measured.values("map", runtime, contender, kind), measured.bestPeer("map", runtime, kind).values)
    ),
  })),
  {
    title: "map, processes / Python's ProcessPoolExecutor.map(chunksize=100)",
    sense: ">=",
    unit: "",
    limit: () => 3,
    ...alike((measured, runtime, contender) =>
      ratio(
        measured.values("map", runtime, contender, "processes"),
        measured.values("map", runtime, "python", "processes"),
      )
    ),
  },
  ...perKind((kind) => ({
    title: `one call after another / bare channel, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 0.9,
    reached: (measured, runtime) =>
      ratio(measured.values("sequential", runtime, "ours", kind), measured.values("sequential", runtime, "bare", kind)),
  })),
  ...perKind((kind) => ({
    title: `64 MiB copied / bare channel, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 0.9,
    // Times, so that the smaller is the better.
    reached: (measured, runtime) =>
      ratio(
        measured.values("payload", runtime, "bare", kind, "64 MiB copied"),
        measured.values("payload", runtime, "ours", kind, "64 MiB copied"),
      ),
  })),
  {
    title: "64 MiB moved / 1 KiB moved, time",
    sense: "<=",
    unit: "",
    limit: () => 1.5,
    ...alike((measured, runtime, contender) =>
      ratio(
        measured.values("payload", runtime, contender, "threads", "64 MiB moved"),
        measured.values("payload", runtime, contender, "threads", "1 KiB moved"),
      )
    ),
  },
  ...perKind((kind) => ({
    title: `CPU-bound calls of 1 ms / split by hand, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 0.97,
    reached: (measured, runtime) =>
      ratio(
        measured.values("cpu", runtime, "ours", kind, "1 ms"),
        measured.values("cpu", runtime, "bare", kind, "1 ms"),
      ),
    floor: (measured, runtime) =>
      ratio(
        measured.values("cpu", runtime, "bare", kind, IN_PARTS),
        measured.values("cpu", runtime, "bare", kind, "1 ms"),
      ),
  })),
  ...perKind((kind) => ({
    title: `first result / bare worker's first answer, time, ${kind}`,
    sense: "<=",
    unit: "",
    limit: (runtime) => runtime === "bun" ? 1.5 : 1.3,
    reached: (measured, runtime) =>
      ratio(
        measured.values("start", runtime, "ours", kind, "later"),
        measured.values("start", runtime, "bare", kind, "later"),
      ),
  })),
  ...perKind((kind) => ({
    title: `cost per call at 1,000,000 queued / at 10,000, ${kind}`,
    sense: "<=",
    unit: "",
    limit: () => 1.5,
    reached: (measured, runtime) =>
      ratio(
        measured.values("burst", runtime, "ours", kind, "10000"),
        measured.values("burst", runtime, "ours", kind, "1000000"),
      ),
    // What the same call would cost if nothing but the collector's work for bare records were added to it.
    floor: (measured, runtime) => {
      const alone = 1e6 / middle(measured.values("burst", runtime, "ours", kind, "10000"));
      const kept = (count: number) => middle(measured.values("limits", runtime, "bare", "threads", keptOf(count)));
      return (alone + kept(1_000_000) - kept(10_000)) / alone;
    },
  })),
  ...perKind((kind) => ({
    title: `heap per queued call, ${kind}`,
    sense: "<=",
    unit: " B",
    limit: () => 400,
    ...alike((measured, runtime, contender) =>
      middle(measured.values("memory", runtime, contender, kind, "queued call")) * 1024
    ),
  })),
  ...perKind((kind) => ({
    title: `short calls behind a long one, 99th percentile of their wait, ${kind}`,
    sense: "<=",
    unit: " ms",
    limit: () => 20,
    reached: (measured, runtime) => middle(measured.values("mix", runtime, "ours", kind)),
  })),
];

/** Whether the bar was met. */
export function isMet({ sense, limit }: Bar, runtime: Runtime, reached: number): boolean {
  return sense === ">=" ? reached >= limit(runtime) : reached <= limit(runtime);
}

function middle(values: readonly number[]): number {
  return values.length > 0 ? median(values) : NaN;
}
