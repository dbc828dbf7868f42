// (n) Two programs at once, which do the same: four threads or six processes on the cores of two.

import process from "node:process";
import { burst, type Case, expect, type Figures, isYardstick, time, warmUp, withPool, WORKERS } from "../case.ts";
import { besideSecond, isSecond } from "../load.ts";

/** The figures, of one program alone and of one that has another beside it. */
export const PROGRAM_FIGURES = {
  burst: ["burst, alone", "burst, of two"],
  sequential: ["one after another, alone", "one after another, of two"],
} as const;

export const programsCase: Case = {
  name: "programs",
  title: "Two programs at once",
  unit: "calls/s",
  by: "what one program reaches",
  note: "`of two`: while a second program does the same.",
  chart: "bars",
  runs: 2,
  admits: isYardstick,
  measure: (entry) =>
    withPool(entry, entry.name === "bare" ? 1 : WORKERS, async (pool) => {
      const count = entry.quick ? 1_000 : 10_000;
      const works = {
        burst: { calls: count, run: () => burst(pool, "increment", count) },
        sequential: {
          calls: count / 10,
          run: async () => {
            for (let i = 0; i < count / 10; i++) expect(await pool.submit("increment", i), i + 1);
          },
        },
      };
      const rate = async ({ calls, run }: typeof works.burst) => calls / await time(run, entry.quick) * 1000;
      await warmUp(pool, entry.quick);
      await works.sequential.run();
      if (isSecond) {
        process.stdout.write("warm\n");
        for (;;) for (const { run } of Object.values(works)) await run(); // until it is killed
      }
      const figures: Figures = {};
      for (const [name, work] of Object.entries(works)) {
        figures[PROGRAM_FIGURES[name as keyof typeof works][0]] = await rate(work);
      }
      await besideSecond(async () => {
        for (const [name, work] of Object.entries(works)) {
          figures[PROGRAM_FIGURES[name as keyof typeof works][1]] = await rate(work);
        }
      });
      return figures;
    }),
};
