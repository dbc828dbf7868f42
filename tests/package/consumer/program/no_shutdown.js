// deno-lint-ignore-file no-console -- a program prints
// Never shuts its executor down: the work is finished nevertheless, then the program ends, with its own exit code.

import process from "node:process";
import { ProcessPoolExecutor } from "@concurrent/futures/process";
import { ThreadPoolExecutor } from "@concurrent/futures/thread";
import { shout } from "./words.js";

const Executor = { thread: ThreadPoolExecutor, process: ProcessPoolExecutor }[process.argv[2]];
new Executor({ maxWorkers: 1 }).submit(shout, "done").then(console.log);
process.exitCode = 7;
