// (o) Waiting without the event loop: each call is waited for before the next is submitted, and a burst.

import { type Case, expect, type Figures, submitAll, time } from "../case.ts";

const CALLS = 1_000;

/** The two figures. */
export const ONE_BY_ONE = "one after another", BURST = "a burst";

export const blockingCase: Case = {
  name: "blocking",
  title: "Waiting without the event loop",
  unit: "calls/s",
  by: "",
  note:
    "`resultSync` for each call, and `waitSync` for a burst of 1,000, which synckit has not. Of one call after another, most " +
    "is the time that a thread takes to wake up. That depends on the cores which the kernel gives to both: ratios differ " +
    "from run to run.",
  chart: "bars",
  admits: (contender, kind) => ["ours", "synckit"].includes(contender) && (contender === "ours" || kind === "threads"),
  async measure({ open, kind, quick }) {
    const pool = await open({ workers: 1, kind, blocks: true });
    const oneByOne = () => {
      for (let i = 0; i < CALLS; i++) expect(pool.submitSync!("increment", i), i + 1);
      return Promise.resolve();
    };
    const burst = () => {
      expect(pool.waitSync!(submitAll(pool, "increment", CALLS)), CALLS);
      return Promise.resolve();
    };
    const rate = async (run: () => Promise<void>) => CALLS / await time(run, quick) * 1000;
    for (let round = 0; round < 3; round++) await oneByOne();
    const figures: Figures = { [ONE_BY_ONE]: await rate(oneByOne) };
    if (!pool.waitSync) return figures;
    for (let round = 0; round < 3; round++) await burst();
    figures[BURST] = await rate(burst);
    await pool.close();
    return figures;
  },
};
