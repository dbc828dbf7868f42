// What every program needs: the executor that it is asked to use, by its name on the command line, and its output.

import process from "node:process";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../mod.ts";

export const Executor = { ThreadPoolExecutor, ProcessPoolExecutor }[process.argv[2]!]!;

/** Writes a line of the program's output. */
export function print(...values: unknown[]): void {
  // deno-lint-ignore no-console
  console.log(...values);
}
