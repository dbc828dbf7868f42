// (e) Calls that keep a core busy: how much of two cores a burst of them gets. The floor is the job split by hand.

import { burst, type Case, type Figures, ROUNDS_PER_MS, time, withPool, WORKERS } from "../case.ts";

export const cpuCase: Case = {
  name: "cpu",
  title: "Calls that keep a core busy",
  unit: "calls/s",
  by: "length of a call",
  chart: "bars",
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      const figures: Figures = {};
      for (const ms of [0.1, 1, 10]) {
        const rounds = ROUNDS_PER_MS * ms;
        const run = (count: number) =>
          entry.name === "bare"
            ? pool.map!("work", Array.from({ length: count }, () => rounds))
            : burst(pool, "work", count, rounds);
        const count = (entry.quick ? 100 : 1_000) / ms;
        for (let round = 0; round < 3; round++) await run(count / 10);
        figures[`${ms} ms`] = count / await time(() => run(count), entry.quick) * 1000;
      }
      return figures;
    }),
};
