// One row, one kind of workers: the program that main.ts starts on each runtime. Its last line is the figure.
//
//   <runtime> measure.ts <row> <kind> ours|bare

import process from "node:process";
import type { Kind } from "../contender.ts";
import { measureRow, ROWS } from "./rows.ts";

const [name, kind, whose] = process.argv.slice(2);
const row = ROWS.find((row) => row.name === name)!;
const figure = await (whose === "bare" ? row.measureBare!(kind as Kind) : measureRow(row, kind as Kind));
process.stdout.write(`\n${JSON.stringify({ figure })}\n`, () => process.exit());
