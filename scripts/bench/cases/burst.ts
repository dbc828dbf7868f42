// (a) Bursts of trivial calls: all submitted at once, then all awaited.

import { burst, type Case, time, warmUp, withPool, WORKERS } from "../case.ts";

export const burstCase: Case = {
  name: "burst",
  title: "Bursts of trivial calls",
  unit: "calls/s",
  by: "calls",
  chart: "lines",
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      await warmUp(pool, entry.quick);
      // A peer would take half a minute for a million.
      const sizes = [1_000, 10_000, 100_000, ...(entry.name === "ours" || entry.name === "bare" ? [1_000_000] : [])];
      const figures: Record<string, number> = {};
      for (const size of entry.quick ? sizes.slice(0, 2) : sizes) {
        figures[size] = size / await time(() => burst(pool, "increment", size), entry.quick) * 1000;
      }
      return figures;
    }),
};
