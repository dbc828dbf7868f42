// (g) From opening a pool of one worker to its first result: the first pool of a program, and those after it.

import { median } from "simple-statistics";
import { type Case, expect, withPool } from "../case.ts";

export const startCase: Case = {
  name: "start",
  title: "From opening to the first result",
  unit: "ms",
  by: "pool",
  chart: "bars",
  async measure(entry) {
    const times: number[] = [];
    for (let round = 0; round < (entry.quick ? 3 : 11); round++) {
      const start = performance.now();
      await withPool(entry, 1, async (pool) => {
        expect(await pool.submit("increment", 1), 2);
        times.push(performance.now() - start);
      });
      // Its worker is gone before the next begins.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { first: times[0]!, later: median(times.slice(1)) };
  },
};
