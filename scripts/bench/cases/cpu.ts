// (e) Calls that keep a core busy: how much of two cores a burst of them gets. The floor is the job split by hand; what of it
// is left when the results come while the rest is worked on, as they have to of a pool, is the floor of that.

import { burst, type Case, type Figures, isYardstick, ROUNDS_PER_MS, time, withPool, WORKERS } from "../case.ts";
import type { Pool } from "../contender.ts";

/** The figure of the bare channel whose results come in parts. */
export const IN_PARTS = "1 ms, in parts";

/** Calls of a part, which a worker answers together: as many as ours answers together. */
const PART = 8;

/** Parts that a worker has at the same time. */
const PARTS_AHEAD = 3;

export const cpuCase: Case = {
  name: "cpu",
  title: "Calls that keep a core busy",
  unit: "calls/s",
  by: "length of a call",
  note:
    `In parts: ${PART} calls to a message and ${PART} results to an answer, ${PARTS_AHEAD} messages ahead, by hand.`,
  chart: "bars",
  runs: 3,
  peerRuns: 1,
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      const figures: Figures = {};
      for (const ms of isYardstick(entry.name) ? [0.1, 1, 10] : [1]) {
        const rounds = ROUNDS_PER_MS * ms;
        const run = (count: number) =>
          entry.name === "bare"
            ? pool.map!("work", Array.from({ length: count }, () => rounds))
            : burst(pool, "work", count, rounds);
        const count = (entry.quick ? 100 : 1_000) / ms;
        for (let round = 0; round < 3; round++) await run(count / 10);
        figures[`${ms} ms`] = count / await time(() => run(count), entry.quick) * 1000;
      }
      if (entry.name === "bare") {
        const count = entry.quick ? 96 : 960;
        figures[IN_PARTS] = count / await time(() => runInParts(pool, count), entry.quick) * 1000;
      }
      return figures;
    }),
};

async function runInParts(pool: Pool, count: number): Promise<void> {
  let left = count;
  const part = Array.from({ length: PART * WORKERS }, () => ROUNDS_PER_MS);
  await Promise.all(Array.from({ length: PARTS_AHEAD }, async () => {
    while (left > 0) {
      left -= part.length;
      await pool.map!("work", part);
    }
  }));
}
