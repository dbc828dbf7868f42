// (c) A trivial function over many items, by map(): at once, and with few items ahead of the loop.

import { type Case, expect, type Figures, time, withPool, WORKERS } from "../case.ts";

/** The figure of map() with a bound on what is ahead of the loop. */
export const ahead = (buffersize: number): string => `buffersize ${buffersize}`;

export const mapCase: Case = {
  name: "map",
  title: "map of 200,000 trivial items",
  unit: "items/s",
  by: "",
  note: "No other pool has it. `bare`: the job split by hand, one message for each worker.",
  chart: "bars",
  admits: (contender) => ["ours", "bare", "python"].includes(contender),
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      const count = entry.quick ? 20_000 : 200_000;
      const items = Array.from({ length: count }, (_, i) => i);
      const run = async (items: readonly number[], buffersize?: number) =>
        expect(await pool.map!("increment", items, buffersize), items.length);
      const figures: Figures = {};
      for (const buffersize of [undefined, ...(entry.name === "ours" ? [2_000, 20] : [])]) {
        for (let round = 0; round < 3; round++) await run(items.slice(0, 10_000), buffersize);
        const some = buffersize === undefined ? items : items.slice(0, count / 4);
        const took = await time(() => run(some, buffersize), entry.quick);
        figures[buffersize === undefined ? "" : ahead(buffersize)] = some.length / took * 1000;
      }
      return figures;
    }),
};
