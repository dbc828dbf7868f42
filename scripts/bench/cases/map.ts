// (c) A trivial function over many items: by map() where the contender has one, as a burst elsewhere.

import { burst, type Case, expect, time, withPool, WORKERS } from "../case.ts";

export const mapCase: Case = {
  name: "map",
  title: "map of 200,000 trivial items",
  unit: "items/s",
  by: "",
  chart: "bars",
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      const count = entry.quick ? 20_000 : 200_000;
      const items = Array.from({ length: count }, (_, i) => i);
      const run = async (items: readonly number[]) => {
        if (!pool.map) return await burst(pool, "increment", items.length);
        expect(await pool.map("increment", items), items.length);
      };
      for (let round = 0; round < 3; round++) await run(items.slice(0, 10_000));
      return { "": count / await time(() => run(items), entry.quick) * 1000 };
    }),
};
