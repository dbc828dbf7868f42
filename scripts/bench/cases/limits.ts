// What the runtime and the machine take by themselves, without any pool: where a bar is missed, one of these says why.

import { median } from "simple-statistics";
import { type Case, type Figures, time, withPool } from "../case.ts";

/** The figure of a record, one of so many that are kept. */
export const keptOf = (count: number): string => `kept, of ${count.toLocaleString("en")}`;

/** How often what takes microseconds is repeated. */
const TIMES = 200;

/** About as many as a thread of ours runs until its first result. */
const FUNCTIONS = 25;

export const limitsCase: Case = {
  name: "limits",
  title: "What the runtimes take by themselves",
  unit: "µs",
  by: "what",
  note:
    "`kept, of n`: to make three objects as small as a call, its arguments and its Future, one of n that are kept " +
    "until the last is made, and to let go of them: what a queued call cannot do without, and what the collector of " +
    `garbage takes for it. \`${FUNCTIONS} functions\`: to call so many functions of ten lines for the first time in a ` +
    "new thread, which is when they are compiled; about as many run in a thread of ours until its first result. " +
    "`wake`: to send a message to a thread that sleeps, for the sender alone; each call that is awaited before the next " +
    "has two of these, and a result of a long call one, on a core that a worker would use. " +
    "`moved`: bytes there and back to a bare thread, without a copy; from some size on it is by chance whether V8 " +
    "collects garbage each time that they arrive, as they count as newly allocated.",
  chart: "bars",
  runs: 2,
  admits: (contender, kind) => contender === "bare" && kind === "threads",
  async measure(entry) {
    const figures: Figures = {};
    for (const count of entry.quick ? [1_000] : [10_000, 1_000_000]) {
      for (let round = 0; round < 3; round++) keep(count);
      const took = await time(() => Promise.resolve(keep(count)), entry.quick);
      figures[keptOf(count)] = took / count * 1000;
    }
    const compiled: number[] = [];
    for (let round = 0; round < (entry.quick ? 3 : 21); round++) {
      const took = await withPool(entry, 1, (pool) => Promise.resolve(pool.submit("firstCalls", FUNCTIONS)));
      compiled.push(took as number * 1000);
    }
    figures[`${FUNCTIONS} functions`] = median(compiled);
    await withPool(entry, 1, async (pool) => {
      const times: number[] = [];
      for (let round = 0; round < (entry.quick ? 10 : TIMES); round++) {
        await new Promise((resolve) => setTimeout(resolve, 2)); // it falls asleep
        const start = performance.now();
        const answer = pool.submit("increment", round);
        times.push((performance.now() - start) * 1000);
        await answer;
      }
      figures["wake"] = median(times);
      for (const size of entry.quick ? [1] : [48, 63, 64, 65, 96]) {
        let bytes = new Uint8Array(size * 2 ** 20).fill(1);
        const move = async () => bytes = await pool.move!(bytes) as Uint8Array<ArrayBuffer>;
        for (let round = 0; round < 20; round++) await move();
        figures[`${size} MiB moved`] = await time(move, entry.quick) * 1000;
      }
    });
    return figures;
  },
};

/** Makes so many records and keeps them until the last is made. */
function keep(count: number): unknown[] {
  const kept: unknown[] = [];
  for (let i = 0; i < count; i++) kept.push(new Call([i]));
  return kept;
}

class Call {
  readonly future = new Future(this);
  task: unknown = keep;
  args: unknown;
  limits: unknown = undefined;
  queue: unknown = undefined;
  before: unknown = undefined;
  after: unknown = undefined;
  worker: unknown = undefined;
  number = 0;

  constructor(args: readonly unknown[]) {
    this.args = args;
  }
}

class Future {
  state = 0;
  value: unknown = undefined;
  call: unknown;
  listeners: unknown = undefined;

  constructor(call: unknown) {
    this.call = call;
  }
}
