// Draws a case as SVG: a column for each runtime, threads above processes.

import { median } from "simple-statistics";
import { Error as ERROR_LEVEL, logger, parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Case } from "./case.ts";
import { CONTENDERS } from "./contender.ts";
import { runtimeName } from "./report.ts";
import { type Measured, RUNTIMES } from "./results.ts";

const OURS = "#d9480f", BARE = "#868e96", OTHERS = "#4dabf7";

/** One median. */
interface Datum {
  readonly runtime: string;
  readonly panel: string;
  readonly contender: string;
  readonly figure: string;
  readonly value: number;
}

/** The chart of a case; `undefined` when nothing was measured. */
export async function chart(it: Case, measured: Measured): Promise<string | undefined> {
  const data: Datum[] = RUNTIMES.flatMap((runtime) => {
    const found = measured.of(it, runtime);
    return found?.results.flatMap(({ contender, kind, figures }) =>
      Object.entries(figures).map(([figure, values]) => ({
        runtime: runtimeName(found),
        panel: it.chart === "lines" || figure === "" ? kind : `${kind}, ${figure}`,
        ...{ contender, figure, value: median(values) },
      }))
    ) ?? [];
  });
  if (data.length === 0) return undefined;
  const distinct = (key: "runtime" | "panel") => [...new Set(data.map((datum) => datum[key]))];
  const spec: TopLevelSpec = {
    title: { text: `${it.title}, ${it.unit}`, anchor: "middle", offset: 16 },
    background: "white",
    config: { font: "sans-serif" },
    vconcat: distinct("panel").map((panel) => ({
      hconcat: distinct("runtime").map((runtime) => {
        const values = data.filter((datum) => datum.panel === panel && datum.runtime === runtime);
        const title = { text: `${runtime}, ${panel}`, fontSize: 11 };
        return { title, data: { values }, ...(it.chart === "lines" ? lines(it) : BARS) };
      }),
    })),
  };
  const view = new View(parse(compile(spec, { logger: logger(ERROR_LEVEL) }).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return svg + "\n";
}

type Panel = Extract<TopLevelSpec, { hconcat: unknown }>["hconcat"][number];

const ORDER = [...CONTENDERS, "python"];

function lines({ by, unit }: Case): Panel {
  return {
    width: 230,
    height: 230,
    mark: { type: "line", point: { size: 20 } },
    encoding: {
      x: {
        field: "figure",
        type: "quantitative",
        scale: { type: "log" },
        title: by,
        axis: { format: "~s", tickCount: 4 },
      },
      y: { field: "value", type: "quantitative", scale: { type: "log" }, title: unit, axis: { format: "~s" } },
      color: { field: "contender", title: null, scale: { domain: ORDER, scheme: "category10" } },
      strokeWidth: { condition: { test: "datum.contender === 'ours'", value: 4 }, value: 1.5 },
    },
  };
}

const BARS: Panel = {
  width: 190,
  height: { step: 15 },
  encoding: {
    x: { field: "value", type: "quantitative", title: null, axis: { format: "~s", tickCount: 4 } },
    y: { field: "contender", type: "nominal", title: null, sort: ORDER },
  },
  layer: [
    {
      mark: "bar",
      encoding: {
        color: {
          condition: [
            { test: "datum.contender === 'ours'", value: OURS },
            { test: "datum.contender === 'bare'", value: BARE },
          ],
          value: OTHERS,
        },
      },
    },
    {
      mark: { type: "text", align: "left", dx: 3, fontSize: 9 },
      encoding: { text: { field: "value", format: ".3~s" } },
    },
  ],
};
