// The timeline: a picture of who worked when, as SVG. One group for each run, all on one scale.

import { scaleBand, scaleLinear } from "d3-scale";
import type { CallRecord } from "../map_reduce.ts";

/** One way in which the job was done. */
export interface Run {
  readonly name: string;
  /** When it began, before any worker had started, on the clock of the calls. */
  readonly began: number;
  readonly milliseconds: number;
  readonly calls: readonly CallRecord[];
}

const WIDTH = 1_000, LEFT = 212, RIGHT = 36;
const TITLE_HEIGHT = 76, HEADING_HEIGHT = 38, LANE_HEIGHT = 30, GROUP_GAP = 14, FOOT_HEIGHT = 88;
const CALL_COLORS = ["#64748b", "#2563eb", "#d97706"], LANE_COLORS = ["#e2e8f0", "#cfe0fd", "#fbe3b6"];

const STYLE = `
  text { font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #334155 }
  .title { font-size: 20px; font-weight: 600; fill: #0f172a }
  .heading { font-size: 15px; font-weight: 600; fill: #0f172a }
  .note { font-size: 12px; fill: #64748b }
  .grid { stroke: #e2e8f0 }
  .call { stroke: #ffffff; stroke-width: 0.8 }
`;

/** Draws the runs one below the other: a lane for each worker, a bar for each call. */
export function drawTimeline(note: string, runs: readonly Run[]): string {
  const longest = Math.max(...runs.map((run) => run.milliseconds));
  const time = scaleLinear([0, longest / 1_000], [LEFT, WIDTH - RIGHT]);
  const lanes = runs.map(workersOf);
  const tops = [TITLE_HEIGHT];
  for (const workers of lanes) tops.push(tops.at(-1)! + HEADING_HEIGHT + workers.length * LANE_HEIGHT + GROUP_GAP);
  const bottom = tops.at(-1)!, height = bottom + FOOT_HEIGHT;

  const axis = time.ticks(8).map((seconds) => {
    const x = round(time(seconds));
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TITLE_HEIGHT}" y2="${bottom}"/>
<text class="note" x="${x}" y="${bottom + 18}" text-anchor="middle">${time.tickFormat(8)(seconds)} s</text>`;
  });
  const groups = runs.map((run, index) => {
    const seconds = `${(run.milliseconds / 1_000).toFixed(2)} s`;
    const speedUp = `${(runs[0]!.milliseconds / run.milliseconds).toFixed(2)} times as fast`;
    const heading = `${run.name}: ${index === 0 ? seconds : `${seconds}, ${speedUp}`}`;
    return `<text class="heading" x="${LEFT}" y="${tops[index]! + HEADING_HEIGHT - 11}">${escape(heading)}</text>
${drawLanes(run, lanes[index]!, tops[index]! + HEADING_HEIGHT, time, index)}`;
  });

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<style>${STYLE}</style>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text class="title" x="24" y="38">Word count: one program, three executors</text>
<text class="note" x="24" y="60">${escape(note)}</text>
${axis.join("\n")}
${groups.join("\n")}
${drawLegend(CALL_COLORS, "one bar is one call", LEFT, height - 24)}
${drawLegend(LANE_COLORS, "the rest of the run: start-up, waiting, the end", LEFT + 220, height - 24)}
</svg>
`;
}

/** The lanes of one run, each as long as the run, and the calls on them. */
function drawLanes(run: Run, workers: string[], top: number, time: (seconds: number) => number, index: number): string {
  const lane = scaleBand(workers, [top, top + workers.length * LANE_HEIGHT]).paddingInner(0.2);
  const place = (worker: string, from: number, to: number) => {
    const x = time(from / 1_000), width = time(to / 1_000) - x;
    return `x="${round(x)}" y="${round(lane(worker)!)}" width="${round(width)}" height="${round(lane.bandwidth())}"`;
  };
  const empty = workers.map((worker) => {
    const middle = round(lane(worker)! + lane.bandwidth() / 2 + 4);
    return `<text x="${LEFT - 12}" y="${middle}" text-anchor="end">${escape(worker)}</text>
<rect class="lane" ${place(worker, 0, run.milliseconds)} fill="${LANE_COLORS[index]}"/>`;
  });
  const calls = run.calls.map(({ worker, began, ended, bytes }) =>
    `<rect class="call" ${place(worker, began - run.began, ended - run.began)} fill="${CALL_COLORS[index]}">` +
    `<title>${(bytes / 1e6).toFixed(2)} MB in ${(ended - began).toFixed()} ms</title></rect>`
  );
  return [...empty, ...calls].join("\n");
}

function drawLegend(colors: readonly string[], meaning: string, left: number, y: number): string {
  const samples = colors.map((color, index) =>
    `<rect x="${left + index * 16}" y="${y - 11}" width="14" height="14" fill="${color}"/>`
  );
  return `${samples.join("")}<text x="${left + colors.length * 16 + 8}" y="${y}">${escape(meaning)}</text>`;
}

function workersOf(run: Run): string[] {
  const names = new Set(run.calls.map((call) => call.worker));
  return [...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** A tenth of a pixel is as much as can be seen. */
function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
