// deno-lint-ignore-file no-console -- a program prints
// `deno task bench handed-ahead`: what calls cost that were handed to a worker ahead, when they take much longer than those
// before them. Each figure is the median of processes of their own.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { runtimes } from "../../runtimes.ts";
import { type Kind, KINDS } from "../contender.ts";
import { RUNTIMES } from "../results.ts";
import { runAlone } from "../run_alone.ts";
import { type Row, ROWS } from "./rows.ts";

const HELP = `deno task bench handed-ahead [--runtime node|deno|bun]... [--kind threads|processes]... [--runs <number>]
                             [--row ${ROWS.map(({ name }) => name).join("|")}]...

Prints for each row, runtime and kind of workers what was measured, and what is wanted; in brackets, what the runtime's own
workers take, which are sent a call each time they are free. Exit code 1 when a row misses what is wanted.`;

/** A process that has not ended by then has failed, in milliseconds. */
const TIME_LIMIT = 60_000;

/** Measures what was asked for; resolves to whether every row is as wanted. */
export async function handedAhead(args: string[]): Promise<boolean> {
  const list = { type: "string", multiple: true } as const;
  const { values } = parseArgs({
    args,
    options: {
      runtime: list,
      kind: list,
      row: list,
      runs: { type: "string", default: "3" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return true;
  }
  const { deno, bun, node24 } = await runtimes();
  const commands = { deno: [deno, "run", "--quiet", "--allow-all"], bun: [bun], node: [node24] };
  const isAsked = (asked: string[] | undefined, name: string) => asked?.includes(name) ?? true;
  let isGood = true;
  for (const row of ROWS.filter(({ name }) => isAsked(values.row, name))) {
    console.log(`\n${row.title}\n  wanted: <= ${row.wanted} ${row.unit}`);
    for (const kind of KINDS.filter((kind) => isAsked(values.kind, kind))) {
      const cells: string[] = [];
      for (const runtime of RUNTIMES.filter((runtime) => isAsked(values.runtime, runtime))) {
        const ours = await medianOf(Number(values.runs), commands[runtime], row, kind, "ours");
        const bare = row.measureBare && await medianOf(Number(values.runs), commands[runtime], row, kind, "bare");
        const holds = Number(ours) <= row.wanted;
        isGood &&= holds;
        cells.push(`${runtime} ${say(ours)}${holds ? "" : " (missed)"}${bare === undefined ? "" : ` [${say(bare)}]`}`);
      }
      console.log(`  ${kind.padEnd(9)} ${cells.join("   ")}`);
    }
  }
  return isGood;
}

/** The median of several programs, or why there is none. */
async function medianOf(
  runs: number,
  [command, ...first]: string[],
  row: Row,
  kind: Kind,
  whose: "ours" | "bare",
): Promise<number | string> {
  const figures: number[] = [];
  for (let run = 0; run < runs; run++) {
    const program = [...first, join(import.meta.dirname!, "measure.ts"), row.name, kind, whose];
    const { code, timedOut, output } = await runAlone(command!, program, TIME_LIMIT);
    const line = output.trim().split("\n").findLast((line) => line.startsWith("{"));
    if (code !== 0 || !line) return timedOut ? "hangs" : `fails: ${output.trim().slice(0, 300)}`;
    figures.push(JSON.parse(line).figure);
  }
  return median(figures);
}

function say(figure: number | string): string {
  return typeof figure === "number" ? String(Number(figure.toPrecision(3))) : figure;
}
