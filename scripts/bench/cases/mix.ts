// (f) A long call and, right behind it, short ones of another function: how long those wait.

import { type Case, ROUNDS_PER_MS, warmUp, withPool, WORKERS } from "../case.ts";

const LONG_MS = 100, SHORT_MS = 0.1, SHORT_CALLS = 20;

export const mixCase: Case = {
  name: "mix",
  title: "Short calls behind a long one: 99th percentile of their wait",
  unit: "ms",
  by: "",
  chart: "bars",
  runs: 3,
  peerRuns: 1,
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      const waits: number[] = [];
      const run = async () => {
        const long = pool.submit("work", LONG_MS * ROUNDS_PER_MS);
        const start = performance.now();
        const short = Array.from({ length: SHORT_CALLS }, async () => {
          await pool.submit("brief", SHORT_MS * ROUNDS_PER_MS);
          waits.push(performance.now() - start);
        });
        await Promise.all(short);
        await long;
      };
      await warmUp(pool, entry.quick);
      for (let round = 0; round < 3; round++) await run();
      waits.length = 0;
      for (let round = 0; round < (entry.quick ? 3 : 20); round++) await run();
      waits.sort((a, b) => a - b);
      return { "": waits[Math.floor(waits.length * 0.99)]! };
    }),
};
