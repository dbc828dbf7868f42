// (b) One call after another: each is awaited before the next is submitted.

import { type Case, expect, isYardstick, time, warmUp, withPool, WORKERS } from "../case.ts";
import { besideWork } from "../load.ts";

const CALLS = 1_000;

/** The figure while another program keeps a core busy. */
export const BUSY = "beside other work";

export const sequentialCase: Case = {
  name: "sequential",
  title: "One call after another",
  unit: "calls/s",
  by: "",
  note:
    "Of one call after another, most is the time that a core takes to wake up. When the kernel keeps both sides on " +
    "one core, a call takes a tenth of that: which contender gets that is chance, so ratios differ from run to run. " +
    `\`${BUSY}\`: while another program keeps one of the cores busy.`,
  chart: "bars",
  peerRuns: 2,
  measure: (entry) =>
    // The bare channel is one channel: two in turn would both have to wake up each time.
    withPool(entry, entry.name === "bare" ? 1 : WORKERS, async (pool) => {
      const run = async () => {
        for (let i = 0; i < CALLS; i++) expect(await pool.submit("increment", i), i + 1);
      };
      const rate = async () => CALLS / await time(run, entry.quick) * 1000;
      await warmUp(pool, entry.quick);
      await run();
      const quiet = await rate();
      return isYardstick(entry.name) ? { "": quiet, [BUSY]: await besideWork(rate) } : { "": quiet };
    }),
};
