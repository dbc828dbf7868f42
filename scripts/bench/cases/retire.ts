// (l) A worker for each call, two at a time: what it costs to give every call a fresh one.

import { type Case, expect, isYardstick, withPool, WORKERS } from "../case.ts";

export const retireCase: Case = {
  name: "retire",
  title: "300 calls with maxTasksPerWorker: 1",
  unit: "ms a call",
  by: "",
  note:
    "`bare`: a worker is started for each call, two at a time, and ended after its answer. Both load the same module.",
  chart: "bars",
  runs: 1,
  admits: isYardstick,
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      const run = async (count: number) => {
        const results = await Promise.all(Array.from({ length: count }, (_, i) => pool.incrementOfModule!(i)));
        expect(results.at(-1), count);
      };
      const count = entry.quick ? 10 : 300;
      await run(WORKERS * 2);
      const start = performance.now();
      await run(count);
      return { "": (performance.now() - start) / count };
    }, 1),
};
