// What the library is held to: the rows of the table in which its bars are set, and what was reached of each.

import { median } from "simple-statistics";
import { BURST, ONE_BY_ONE } from "./cases/blocking.ts";
import { LARGEST_OF_PEERS } from "./cases/burst.ts";
import { IN_PARTS } from "./cases/cpu.ts";
import { keptOf } from "./cases/limits.ts";
import { ahead } from "./cases/map.ts";
import { IN_ORDER } from "./cases/patterns.ts";
import { PROGRAM_FIGURES } from "./cases/programs.ts";
import { BUSY } from "./cases/sequential.ts";
import { OF_MODULE } from "./cases/start.ts";
import { MAP, streamed } from "./cases/stream.ts";
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

/** A case, and one of its figures. */
export type FigureName = readonly [caseName: string, figure: string];

/** What the other pools' bursts are compared by. */
export const PEERS_BURST: FigureName = ["burst", String(LARGEST_OF_PEERS)];

/** Ours in one figure, as a multiple of ours, or of the bare channel, in another. */
const ours =
  (kind: Kind, above: FigureName, below: FigureName, of: "ours" | "bare" = "ours") =>
  (measured: Measured, runtime: Runtime): number =>
    ratio(
      measured.values(above[0], runtime, "ours", kind, above[1]),
      measured.values(below[0], runtime, of, kind, below[1]),
    );

/** Ours in one figure, as a multiple of the bare channel in the same. */
const overBare = (kind: Kind, figure: FigureName) => ours(kind, figure, figure, "bare");

/** A figure that every contender has by itself. */
const alike = (figure: (measured: Measured, runtime: Runtime, contender: string) => number) => ({
  reached: (measured: Measured, runtime: Runtime) => figure(measured, runtime, "ours"),
  floor: (measured: Measured, runtime: Runtime) => figure(measured, runtime, "bare"),
});

/** On more workers than cores, as a multiple of the rate on two: at most 5 % less than on 2026-11-24, on two cores. */
const SCALED: Readonly<Record<Runtime, Record<Kind, { 8: number; 16: number }>>> = {
  node: { threads: { 8: 0.73, 16: 0.57 }, processes: { 8: 0.7, 16: 0.51 } },
  deno: { threads: { 8: 0.65, 16: 0.51 }, processes: { 8: 0.64, 16: 0.44 } },
  bun: { threads: { 8: 0.81, 16: 0.67 }, processes: { 8: 0.67, 16: 0.56 } },
};

export const BARS: readonly Bar[] = [
  ...perKind((kind) => ({
    title: `burst of 100,000 calls, Promise.all / best other pool's, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 10,
    reached: (measured, runtime) =>
      ratio(
        measured.values("burst", runtime, "ours", kind, "100000"),
        measured.bestPeer(PEERS_BURST[0], runtime, kind, PEERS_BURST[1]).values,
      ),
  })),
  ...["Promise.all", "wait", "asCompleted"].flatMap((way) =>
    perKind((kind) => ({
      title: `${way} / awaited in order, ${kind}`,
      sense: ">=",
      unit: "",
      limit: () => 0.7,
      reached: ours(kind, ["patterns", way], ["patterns", IN_ORDER]),
    }))
  ),
  ...perKind((kind) => ({
    title: `map of 200,000 items / best other pool's burst, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 20,
    ...alike((measured, runtime, contender) =>
      ratio(
        measured.values("map", runtime, contender, kind),
        measured.bestPeer(PEERS_BURST[0], runtime, kind, PEERS_BURST[1]).values,
      )
    ),
  })),
  ...[[2_000, 0.7], [20, 0.3]].flatMap(([buffersize, limit]) =>
    perKind((kind) => ({
      title: `map with buffersize ${buffersize} / without, ${kind}`,
      sense: ">=",
      unit: "",
      limit: () => limit!,
      reached: ours(kind, ["map", ahead(buffersize!)], ["map", ""]),
    }))
  ),
  ...[16, 64, 1024].flatMap((buffersize) =>
    perKind((kind) => ({
      title: `stream of a million numbers with buffersize ${buffersize} / map, ${kind}`,
      sense: ">=",
      unit: "",
      limit: () => 0.5,
      reached: ours(kind, ["stream", streamed(buffersize)], ["stream", MAP]),
    }))
  ),
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
    limit: () => kind === "threads" ? 10 : 0.95,
    reached: overBare(kind, ["sequential", ""]),
  })),
  {
    title: "one call after another beside other work / bare channel, threads",
    sense: ">=",
    unit: "",
    limit: () => 3,
    reached: overBare("threads", ["sequential", BUSY]),
  },
  ...([[ONE_BY_ONE, 2], [BURST, 10]] as const).map(([figure, limit]): Bar => ({
    title: `blocking, ${figure} / synckit, threads`,
    sense: ">=",
    unit: "",
    limit: () => limit,
    reached: (measured, runtime) =>
      ratio(
        measured.values("blocking", runtime, "ours", "threads", figure),
        measured.values("blocking", runtime, "synckit", "threads", ONE_BY_ONE),
      ),
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
    limit: () => 1.3,
    reached: overBare(kind, ["start", OF_MODULE]),
  })),
  ...perKind((kind) => ({
    title: `maxTasksPerWorker: 1, a call / start of a bare worker, time, ${kind}`,
    sense: "<=",
    unit: "",
    limit: () => 1.3,
    reached: overBare(kind, ["retire", ""]),
  })),
  ...[8, 16].flatMap((workers) =>
    perKind((kind) => ({
      title: `burst on ${workers} workers / on 2, ${kind}`,
      sense: ">=",
      unit: "",
      limit: (runtime) => SCALED[runtime][kind][workers as 8 | 16],
      reached: ours(kind, ["scaling", String(workers)], ["scaling", "2"]),
    }))
  ),
  ...perKind((kind) => ({
    title: `two programs at once: one call after another / bare channel, ${kind}`,
    sense: ">=",
    unit: "",
    limit: () => 0.95,
    reached: overBare(kind, ["programs", PROGRAM_FIGURES.sequential[1]]),
  })),
  ...perKind((kind) => ({
    title: `time of the processor in 10 idle seconds, ${kind}`,
    sense: "<=",
    unit: " ms",
    limit: () => 20,
    reached: (measured, runtime) => middle(measured.values("idle", runtime, "ours", kind)),
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
