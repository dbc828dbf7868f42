// (a) Bursts of trivial calls, as most programs write them: all submitted at once, then awaited by Promise.all.

import { burst, type Case, isYardstick, time, warmUp, withPool, WORKERS } from "../case.ts";

/** The largest burst that the other pools get: some would take half a minute for ten times as much. */
export const LARGEST_OF_PEERS = 10_000;

export const burstCase: Case = {
  name: "burst",
  title: "Bursts of trivial calls",
  unit: "calls/s",
  by: "calls",
  note:
    "`Promise.all(items.map((item) => executor.submit(task, item)))`. The task is in a module, for every contender. " +
    `The other pools get ${
      LARGEST_OF_PEERS.toLocaleString("en")
    } calls at most: some would take half a minute for more.`,
  chart: "lines",
  peerRuns: 3,
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      await warmUp(pool, entry.quick);
      // A million takes the bare channel of a process 17 s on Node.
      const more = entry.name === "ours" ? [100_000, 1_000_000] : isYardstick(entry.name) ? [100_000] : [];
      const sizes = [1_000, LARGEST_OF_PEERS, ...more];
      const figures: Record<string, number> = {};
      for (const size of entry.quick ? sizes.slice(0, 2) : sizes) {
        figures[size] = size / await time(() => burst(pool, "increment", size), entry.quick) * 1000;
      }
      return figures;
    }),
};
