// (p) Many numbers out of one generator, by stream(): with more and with fewer of them ahead of the loop, beside map().

import { type Case, expect, type Figures, time, withPool, WORKERS } from "../case.ts";

/** The figure of map() in the same process. */
export const MAP = "map";

/** The figure of a stream whose task may be so many values ahead. */
export const streamed = (buffersize: number): string => `buffersize ${buffersize}`;

/** The default is the first. */
const BUFFER_SIZES = [16, 64, 1024] as const;

export const streamCase: Case = {
  name: "stream",
  title: "stream of a million numbers",
  unit: "values/s",
  by: "",
  note: "No other pool has it. `map`: as many trivial items by `map`, in the same process. 16 is the default.",
  chart: "bars",
  admits: (contender) => contender === "ours",
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      const count = entry.quick ? 20_000 : 1_000_000;
      const items = Array.from({ length: count }, (_, i) => i);
      const map = async (some: readonly number[]) => expect(await pool.map!("increment", some), some.length);
      const stream = async (many: number, buffersize: number) =>
        expect(await pool.stream!("countTo", many, buffersize), many - 1);
      const figures: Figures = {};
      for (let round = 0; round < 3; round++) await map(items.slice(0, 10_000));
      figures[MAP] = count / await time(() => map(items), entry.quick) * 1000;
      for (const buffersize of BUFFER_SIZES) {
        for (let round = 0; round < 3; round++) await stream(10_000, buffersize);
        figures[streamed(buffersize)] = count / await time(() => stream(count, buffersize), entry.quick) * 1000;
      }
      return figures;
    }),
};
