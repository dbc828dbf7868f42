// (k) The same burst, awaited in each of the ways there are.

import {
  burst,
  type Case,
  expect,
  type Figures,
  isYardstick,
  submitAll,
  time,
  warmUp,
  withPool,
  WORKERS,
} from "../case.ts";
import { LARGEST_OF_PEERS } from "./burst.ts";

/** The figure of calls that are awaited one after another. */
export const IN_ORDER = "in order";

export const patternsCase: Case = {
  name: "patterns",
  title: "A burst of 100,000 calls, by how it is awaited",
  unit: "calls/s",
  by: "way",
  note: `\`${IN_ORDER}\`: \`for (const future of futures) await future\`. The other pools get ` +
    `${LARGEST_OF_PEERS.toLocaleString("en")} calls.`,
  chart: "bars",
  peerRuns: 1,
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      await warmUp(pool, entry.quick);
      const count = entry.quick ? 1_000 : isYardstick(entry.name) ? 100_000 : LARGEST_OF_PEERS;
      const ways: Record<string, () => Promise<unknown>> = {
        [IN_ORDER]: async () => {
          let last: unknown;
          for (const call of submitAll(pool, "increment", count)) last = await call;
          expect(last, count);
        },
        "Promise.all": () => burst(pool, "increment", count),
      };
      if (pool.wait) ways["wait"] = () => pool.wait!(submitAll(pool, "increment", count));
      if (pool.asCompleted) {
        ways["asCompleted"] = async () => {
          let done = 0;
          for await (const _call of pool.asCompleted!(submitAll(pool, "increment", count))) done++;
          expect(done, count);
        };
      }
      const figures: Figures = {};
      for (const way of Object.values(ways)) await way();
      for (const [name, way] of Object.entries(ways)) figures[name] = count / await time(way, entry.quick) * 1000;
      return figures;
    }),
};
