// Blocking waits against synckit, in one run, alternately: one call after another, and a burst of 1,000 calls.
//   npm install --ignore-scripts --prefix scripts/bench/contenders && node scripts/bench/sync.ts
//
// synckit has no bursts: there, a thousand calls are one after another.

import process from "node:process";
import { ThreadPoolExecutor } from "../../mod.ts";
import { resultSync, waitSync } from "../../src/sync/mod.ts";

const CALLS = 1000, ROUNDS = 21;

const { createSyncFn } = await import(import.meta.resolve("./contenders/node_modules/synckit/lib/index.js"));
const double = (n: number) => n * 2;
const theirs: (n: number) => number = createSyncFn(new URL("./contenders/workers/synckit.js", import.meta.url));
const executor = new ThreadPoolExecutor({ maxWorkers: 1 });

const contenders: Record<string, () => unknown> = {
  "synckit": () => {
    for (let i = 0; i < CALLS; i++) theirs(i);
  },
  "resultSync": () => {
    for (let i = 0; i < CALLS; i++) resultSync(executor.submit(double, i));
  },
  "waitSync": () => waitSync(Array.from({ length: CALLS }, (_, i) => executor.submit(double, i))),
};

const rates = Object.fromEntries(Object.keys(contenders).map((name) => [name, [] as number[]]));
for (let round = -3; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(contenders)) {
    const start = performance.now();
    run();
    if (round >= 0) rates[name]!.push(CALLS / (performance.now() - start) * 1000);
  }
}
for (const [name, list] of Object.entries(rates)) {
  const median = list.sort((a, b) => a - b)[list.length >> 1]!;
  // deno-lint-ignore no-console
  console.log(name.padEnd(12), Math.round(median), "calls/s");
}
process.exit(); // synckit's worker has no other end
