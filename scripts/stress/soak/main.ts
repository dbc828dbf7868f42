// deno-lint-ignore-file no-console -- a program prints
// `deno task soak`: runs the soak program on each runtime and backend, one after the other, and judges its memory.

import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { linearRegression } from "simple-statistics";
import { ROOT } from "../../install.ts";
import { Progress } from "../../progress.ts";
import { describeEnding, drive } from "../lib/drive.ts";
import { reportToReaders } from "../lib/report.ts";
import { conditions, QUICK_RESULTS, RESULTS, type SoakResult, writeResult } from "../lib/results.ts";
import { chooseTargets, type Target, TARGET_OPTIONS } from "../lib/target.ts";
import { type Point, programOf, SHARE, type Soak, type SoakLine, SOAKS } from "./outcome.ts";

/** The slope that memory may have, in MiB per million calls: 4 bytes a call, of which no object can be made. */
const STEEPEST = 4;

/** Growth that tells nothing, in MiB: collectors and allocators keep as much one time and not the next. */
const NOISE = 8;

/** From so many calls on figures are kept. */
const MANY = 10_000_000;

/** A program that has not ended by then is ended, in milliseconds for a call. */
const TIME_LIMIT = 0.5;

const HELP = `deno task soak [--calls <number>] [--runtime deno|bun|node]... [--backend threads|processes]...
               [--what ${SOAKS.join("|")}]...

Runs so many calls, half of them in bursts of submit(), half by map(), checks each result, and looks at the resident memory
of the program and its worker processes a hundred times on the way, after collecting garbage. Through the second half of the
looks a line is laid. It fails when that line rises by more than ${STEEPEST} MiB per million calls, which is ${STEEPEST} bytes a call and less
than any object takes, and by more than ${NOISE} MiB in all. The same for as many values of streams, a tenth as many calls of groups, a thousandth
as many broadcasts, each after a resize of the executor, and as many reports.

  --calls <number>      how many, for each runtime and backend (${MANY})
  --runtime, --backend, --what
                        only these; several with commas or by repeating the option
  --report              runs nothing: writes the summary in docs/reliability.md again from what was kept last

Figures are kept in reliability/*.json and docs/reliability.md from ${MANY} calls on, otherwise in reliability/quick.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...TARGET_OPTIONS,
      what: { type: "string", multiple: true },
      calls: { type: "string", default: String(MANY) },
      report: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.report) return await reportToReaders();

  const calls = Number(values.calls);
  if (!Number.isInteger(calls) || calls < 1) throw new Error(`--calls wants a number: ${values.calls}`);
  const wanted = values.what?.flatMap((names) => names.split(","));
  const chosen = SOAKS.filter((what) => wanted?.includes(what) ?? true);
  if (chosen.length < (wanted?.length ?? 0)) throw new Error(`--what is ${SOAKS.join(", ")}: ${wanted}`);
  let failed = false;
  for (const target of chooseTargets(values)) {
    for (const what of chosen) {
      const result = await soak(target, what, Math.ceil(calls * SHARE[what]));
      writeResult(calls >= MANY ? RESULTS : QUICK_RESULTS, result);
      failed ||= result.outcome.problems.length > 0;
    }
  }
  if (calls >= MANY) await reportToReaders();
  process.exitCode = failed ? 1 : 0;
}

async function soak(target: Target, what: Soak, calls: number): Promise<SoakResult> {
  const { runtime, backend } = target;
  const progress = new Progress(`${runtime} ${backend} ${what}`);
  const points: Point[] = [], problems: string[] = [];
  let version = "", done = false;
  const start = performance.now();
  const args = [join(ROOT, "scripts/stress/soak/program.ts"), backend, String(calls), what];
  const ending = await drive(target, args, 60_000 + calls * TIME_LIMIT / SHARE[what], (said) => {
    const line = said as SoakLine;
    if ("done" in line) {
      ({ done, version } = line);
      if (line.problem) problems.push(line.problem);
    } else {
      points.push(line);
      progress.show(`${line.calls} of ${calls} calls, ${line.rss.toFixed(0)} MiB`);
    }
  });
  if (!done || ending.code !== 0) problems.push(describeEnding(ending));
  const slope = slopeOf(points);
  const growth = slope * calls / 2 / 1e6;
  if (slope > STEEPEST / SHARE[what] && growth > NOISE) {
    problems.push(`memory grows by ${slope.toFixed(1)} MiB per million calls`);
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  progress.end(
    `${calls} calls in ${seconds} s, ${points[0]?.rss.toFixed(0)} to ${points.at(-1)?.rss.toFixed(0)} MiB, ` +
      `${slope.toFixed(2)} MiB per million calls${problems.map((problem) => `\n  WRONG: ${problem}`).join("")}`,
  );
  return {
    program: programOf(what),
    outcome: { calls, seconds, points, slope, problems },
    ...conditions(target, version),
  };
}

/** MiB per million calls, in the second half. */
function slopeOf(points: readonly Point[]): number {
  const late = points.slice(Math.floor(points.length / 2));
  return linearRegression(late.map(({ calls, rss }) => [calls / 1e6, rss])).m;
}

await main();
