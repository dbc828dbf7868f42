// (i) A burst of trivial calls on more and more workers.

import { burst, type Case, type Figures, isYardstick, time, warmUp, withPool } from "../case.ts";

export const scalingCase: Case = {
  name: "scaling",
  title: "A burst of 20,000 trivial calls on more workers",
  note: "The other pools get 5,000 calls.",
  unit: "calls/s",
  by: "workers",
  chart: "lines",
  runs: 3,
  peerRuns: 1,
  async measure(entry) {
    const figures: Figures = {};
    const count = entry.quick ? 2_000 : isYardstick(entry.name) ? 20_000 : 5_000;
    // 16 workers take most pools longer to start than all the rest of this.
    for (const workers of entry.quick ? [1, 4] : isYardstick(entry.name) ? [1, 2, 4, 8, 16] : [1, 2, 4]) {
      await withPool(entry, workers, async (pool) => {
        await warmUp(pool, entry.quick);
        figures[workers] = count / await time(() => burst(pool, "increment", count), entry.quick) * 1000;
      });
    }
    return figures;
  },
};
