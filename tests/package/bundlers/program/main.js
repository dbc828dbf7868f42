// deno-lint-ignore-file no-console -- a program prints
// Prints what came of each kind of task in each kind of worker.
import { isWorker } from "@concurrent/futures";
import { outcomes } from "./outcomes.js";
import * as tasks from "./tasks.js";

async function main() {
  console.log(JSON.stringify(await outcomes(tasks)));
}

/** Vite waits for it before it closes its server. */
export const done = isWorker ? undefined : main();
