// Draws a case as SVG: a column for each runtime, threads above processes. A contender has its colour in every chart, and its
// name beside its line or bar.

import { median } from "simple-statistics";
import { Error as ERROR_LEVEL, logger, parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Case } from "./case.ts";
import { runtimeName } from "./report.ts";
import { type Measured, RUNTIMES } from "./results.ts";

/** In the order of the bars: what is ours stands out, the floor is grey. */
const COLORS = {
  ours: "#d9480f",
  bare: "#868e96",
  comlink: "#1c7ed6",
  "jest-worker": "#0ca678",
  multithreading: "#9c36b5",
  piscina: "#5c940d",
  poolifier: "#d6336c",
  tinypool: "#7048e8",
  workerpool: "#0b7285",
  python: "#99710d",
};

const COLOR = {
  field: "contender",
  legend: null,
  scale: { domain: Object.keys(COLORS), range: Object.values(COLORS) },
} as const;

/** The height of a chart with lines, and what the names of lines keep from each other, in pixels. */
const HEIGHT = 230, NAME_HEIGHT = 11;

/** One median. */
interface Datum {
  readonly runtime: string;
  readonly panel: string;
  readonly contender: string;
  readonly figure: string;
  readonly value: number;
  /** What is written beside a bar. */
  readonly label: string;
}

/** The chart of a case; `undefined` when nothing was measured. */
export async function chart(
  it: Case,
  measured: Measured,
): Promise<string | undefined> {
  const data: Datum[] = RUNTIMES.flatMap((runtime) => {
    const found = measured.of(it, runtime);
    return found?.results.flatMap(({ contender, kind, figures }) =>
      Object.entries(figures).map(([figure, values]) => ({
        runtime: runtimeName(found),
        panel: it.chart === "lines" || figure === "" ? kind : `${kind}, ${figure}`,
        ...{ contender, figure, value: median(values), label: short(median(values)) },
      }))
    ) ?? [];
  });
  if (data.length === 0) return undefined;
  const distinct = (
    key: "runtime" | "panel",
  ) => [...new Set(data.map((datum) => datum[key]))];
  const spec: TopLevelSpec = {
    title: {
      text: it.title,
      subtitle: caption(it, data),
      anchor: "start",
      offset: 16,
      subtitlePadding: 6,
    },
    background: "white",
    config: {
      font: "sans-serif",
      axis: { titleFontWeight: "normal", gridColor: "#f1f3f5" },
      view: { stroke: null },
    },
    columns: distinct("runtime").length,
    concat: distinct("panel").flatMap((panel) => {
      const row = data.filter((datum) => datum.panel === panel);
      return distinct("runtime").map((runtime) => {
        const values = row.filter((datum) => datum.runtime === runtime);
        const title = { text: `${runtime}, ${panel}`, fontSize: 11 };
        return {
          title,
          data: { values },
          ...(it.chart === "lines" ? lines(it, data, values) : bars(it, row)),
        };
      });
    }),
  };
  const view = new View(
    parse(compile(spec, { logger: logger(ERROR_LEVEL) }).spec),
    { renderer: "none" },
  );
  const svg = await view.toSVG();
  view.finalize();
  return svg + "\n";
}

/** Three digits: `0.174`, `17.4`, `1.74k`, `1.74M`. */
function short(value: number): string {
  const [unit, letter] = value >= 999_500
    ? [1e6, "M"] as const
    : value >= 999.5
    ? [1e3, "k"] as const
    : [1, ""] as const;
  return Number((value / unit).toPrecision(3)) + letter;
}

/** What a reader has to know who sees nothing but the chart. */
function caption({ unit }: Case, data: readonly Datum[]): string[] {
  const has = (name: string) => data.some(({ contender }) => contender === name);
  return [
    "ours is @concurrent/futures, bare the runtime's own workers and channels by hand, with no pool around them.",
    ...(has("python") ? ["python is concurrent.futures of Python."] : []),
    `Medians, in ${unit}: ${unit.endsWith("/s") ? "more" : "less"} is better.`,
  ];
}

type Panel = Extract<TopLevelSpec, { concat: unknown }>["concat"][number];

function lines(
  { by, unit }: Case,
  all: readonly Datum[],
  values: readonly Datum[],
): Panel {
  const domain = wholeDecades(all.map(({ value }) => value));
  const figures = [...new Set(all.map(({ figure }) => Number(figure)))];
  const x = {
    field: "figure",
    type: "quantitative" as const,
    scale: { type: "log" as const, nice: false },
    title: `${by} (log scale)`,
    axis: { format: "~s", values: figures },
  };
  const y = {
    field: "value",
    type: "quantitative" as const,
    scale: { type: "log" as const, domain },
    title: `${unit} (log scale)`,
    axis: { format: "~s", values: decades(domain) },
  };
  return {
    width: HEIGHT,
    height: HEIGHT,
    layer: [
      {
        mark: { type: "line", point: { size: 20 } },
        encoding: {
          ...{ x, y, color: COLOR },
          strokeWidth: {
            condition: { test: "datum.contender === 'ours'", value: 4 },
            value: 1.5,
          },
        },
      },
      {
        data: { values: names(values, domain) },
        mark: { type: "text", align: "left", dx: 7, fontSize: 9 },
        encoding: { x, y, color: COLOR, text: { field: "contender" } },
      },
    ],
  };
}

/** Where the names of lines are: at their ends, moved up and down so that none covers another. */
function names(
  values: readonly Datum[],
  [least, most]: readonly [number, number],
): Datum[] {
  const perPixel = Math.log(most / least) / HEIGHT;
  const ends = Object.keys(COLORS).flatMap((name) =>
    values.filter(({ contender }) => contender === name).sort((a, b) => Number(a.figure) - Number(b.figure)).slice(-1)
  );
  return Object.values(Object.groupBy(ends, ({ figure }) => figure)).flatMap(
    (column) => {
      const sorted = column!.toSorted((a, b) => b.value - a.value);
      const heights = sorted.map(({ value }) => Math.log(value / least) / perPixel);
      spread(heights);
      return sorted.map((end, i) => ({
        ...end,
        value: least * Math.exp(heights[i]! * perPixel),
      }));
    },
  );
}

/** Moves what is too close apart, equally far from where it was: heights from the highest to the lowest. */
function spread(heights: number[]): void {
  for (let moved = true, rounds = 0; moved && rounds < 100; rounds++) {
    moved = false;
    for (let i = 1; i < heights.length; i++) {
      const missing = NAME_HEIGHT - (heights[i - 1]! - heights[i]!);
      if (missing < 0.1) continue;
      heights[i - 1]! += missing / 2;
      heights[i]! -= missing / 2;
      moved = true;
    }
  }
}

/** The powers of ten around the values. */
function wholeDecades(values: readonly number[]): [number, number] {
  const exponents = values.map(Math.log10);
  return [
    10 ** Math.floor(Math.min(...exponents)),
    10 ** Math.ceil(Math.max(...exponents)),
  ];
}

function decades([least, most]: readonly [number, number]): number[] {
  return Array.from(
    { length: Math.round(Math.log10(most / least)) + 1 },
    (_, i) => least * 10 ** i,
  );
}

function bars({ unit }: Case, row: readonly Datum[]): Panel {
  const contenders = Object.keys(COLORS).filter((name) => row.some(({ contender }) => contender === name));
  // The same for all runtimes of a row, with room for the longest bar's figure.
  const values = row.map(({ value }) => value);
  const longest = Math.max(...values) * 1.15;
  return {
    width: 190,
    height: { step: 15 },
    encoding: {
      x: {
        field: "value",
        type: "quantitative",
        title: unit,
        scale: { domain: [Math.min(0, ...values), longest], nice: false },
        axis: { format: longest < 1000 ? ".3~r" : "~s", tickCount: 4 },
      },
      y: {
        field: "contender",
        type: "nominal",
        title: null,
        scale: { domain: contenders },
        axis: { minExtent: 75 },
      },
    },
    layer: [
      { mark: "bar", encoding: { color: COLOR } },
      {
        mark: { type: "text", align: "left", dx: 3, fontSize: 9 },
        encoding: { text: { field: "label" } },
      },
    ],
  };
}
