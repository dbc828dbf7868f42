// Draws a case as SVG: runtimes side by side, threads above processes.

import { Error as ERROR_LEVEL, logger, parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { type Case, median } from "./case.ts";
import { CONTENDERS } from "./contender.ts";
import { type Measured, RUNTIMES } from "./results.ts";
import { runtimeName } from "./report.ts";

const OURS = "#d9480f", BARE = "#868e96", OTHERS = "#4dabf7";

/** The chart of a case; `undefined` when nothing was measured. */
export async function chart(it: Case, measured: Measured): Promise<string | undefined> {
  const rows = RUNTIMES.flatMap((runtime) => {
    const found = measured.of(it, runtime);
    return found?.results.flatMap(({ contender, kind, figures }) =>
      Object.entries(figures).map(([figure, values]) => ({
        runtime: runtimeName(found),
        contender,
        kind,
        figure,
        value: median(values),
        panel: it.chart === "lines" || figure === "" ? kind : `${figure}, ${kind}`,
      }))
    ) ?? [];
  });
  if (rows.length === 0) return undefined;
  const spec: TopLevelSpec = {
    title: { text: it.title, subtitle: `${it.unit}${it.by && it.chart === "lines" ? ` by ${it.by}` : ""}` },
    background: "white",
    data: { values: rows },
    facet: {
      column: { field: "runtime", title: null, sort: [...new Set(rows.map(({ runtime }) => runtime))] },
      row: { field: "panel", title: null, sort: [...new Set(rows.map(({ panel }) => panel))] },
    },
    resolve: {
      scale: { y: it.chart === "bars" ? "independent" : "shared", x: it.chart === "bars" ? "independent" : "shared" },
    },
    spec: it.chart === "lines" ? lines(it) : bars(),
  };
  const view = new View(parse(compile(spec, { logger: logger(ERROR_LEVEL) }).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return svg + "\n";
}

type UnitSpec = Extract<TopLevelSpec, { spec: unknown; facet: unknown }>["spec"];

function lines({ by }: Case): UnitSpec {
  const names = [...CONTENDERS, "python"];
  return {
    width: 220,
    height: 220,
    mark: { type: "line", point: { size: 20 } },
    encoding: {
      x: {
        field: "figure",
        type: "quantitative",
        scale: { type: "log" },
        title: by,
        axis: { format: "~s", tickCount: 4 },
      },
      y: { field: "value", type: "quantitative", scale: { type: "log" }, title: null, axis: { format: "~s" } },
      color: { field: "contender", title: null, sort: names, scale: { scheme: "category10" } },
      strokeWidth: { condition: { test: "datum.contender === 'ours'", value: 4 }, value: 1.5 },
    },
  };
}

function bars(): UnitSpec {
  return {
    width: 200,
    height: { step: 15 },
    encoding: {
      x: { field: "value", type: "quantitative", title: null, axis: { format: "~s", tickCount: 4 } },
      y: { field: "contender", type: "nominal", title: null, sort: [...CONTENDERS, "python"] },
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
}
