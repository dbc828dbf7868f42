// The executor that a program is asked to use, by its name on the command line.

import process from "node:process";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../mod.ts";

export const Executor = { ThreadPoolExecutor, ProcessPoolExecutor }[process.argv[2]!]!;
