// (i) A burst of trivial calls on more and more workers.

import { burst, type Case, type Figures, isYardstick, time, warmUp, withPool } from "../case.ts";

export const scalingCase: Case = {
  name: "scaling",
  title: "A burst of 20,000 trivial calls on more workers",
  unit: "calls/s",
  by: "workers",
  chart: "lines",
  runs: 2,
  admits: isYardstick,
  async measure(entry) {
    const figures: Figures = {};
    const count = entry.quick ? 2_000 : 20_000;
    for (const workers of entry.quick ? [1, 4] : [1, 2, 4, 8, 16]) {
      await withPool(entry, workers, async (pool) => {
        await warmUp(pool, entry.quick);
        figures[workers] = count / await time(() => burst(pool, "increment", count), entry.quick) * 1000;
      });
    }
    return figures;
  },
};
