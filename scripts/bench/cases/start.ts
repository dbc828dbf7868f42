// (g) From opening a pool of one worker to its first result: the first pool of a program, those after it, and those whose task
// is in a module that imports what marks it as one, as in the first example of README. The bare worker imports that, too.

import { median } from "simple-statistics";
import { type Case, type Entry, expect, type Figures, isYardstick, withPool } from "../case.ts";
import type { Pool } from "../contender.ts";

/** The figure of README's first example. */
export const OF_MODULE = "later, a marked task";

export const startCase: Case = {
  name: "start",
  title: "From opening to the first result",
  unit: "ms",
  by: "pool",
  chart: "bars",
  runs: 2,
  peerRuns: 1,
  async measure(entry) {
    const times = await firstResults(entry, (pool) => pool.submit("increment", 1));
    const figures: Figures = { first: times[0]!, later: median(times.slice(1)) };
    if (isYardstick(entry.name)) {
      figures[OF_MODULE] = median(await firstResults(entry, (pool) => pool.incrementOfModule!(1)));
    }
    return figures;
  },
};

/** How long the first result of each of some pools takes, in milliseconds. */
async function firstResults(entry: Entry, call: (pool: Pool) => PromiseLike<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < (entry.quick ? 3 : 11); round++) {
    const start = performance.now();
    await withPool(entry, 1, async (pool) => {
      expect(await call(pool), 2);
      times.push(performance.now() - start);
    });
    // Its worker is gone before the next begins.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return times;
}
