// One case, one contender, one run: the program that main.ts starts on each runtime. Its last line is the figures.
//
//   <runtime> measure.ts <case> <contender> <kind> [quick]

import process from "node:process";
import { CASES } from "./cases.ts";
import { contender, type Kind } from "./contender.ts";

const [caseName, name, kind, size] = process.argv.slice(2);
const { open } = await contender(name!);
const found = CASES.find((it) => it.name === caseName)!;
const figures = await found.measure({ name: name!, kind: kind as Kind, open, quick: size === "quick" });
process.stdout.write(`\n${JSON.stringify(figures)}\n`, () => process.exit());
