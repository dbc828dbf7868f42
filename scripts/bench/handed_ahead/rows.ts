// The rows of the table: what becomes of calls whose task has been quick, and is not any more. Each is measured with a new
// executor, whose workers are up and know the task as a quick one.

import { type Executor, ProcessPoolExecutor, ThreadPoolExecutor, wait } from "../../../mod.ts";
import type { Kind } from "../contender.ts";
import { openBare } from "./bare.ts";
import { block } from "./tasks.ts";

/** How long a call blocks its worker, in milliseconds. */
const SLOW = 20;

/** One row. */
export interface Row {
  readonly name: string;
  /** What is measured. */
  readonly title: string;
  readonly unit: string;
  /** The largest figure that is good. */
  readonly wanted: number;
  readonly workers: number;
  /** Measures once. */
  measure(executor: Executor): Promise<number>;
  /** The same with the runtime's own workers. */
  measureBare?(kind: Kind): Promise<number>;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Submits a call for each element: how long it takes, in milliseconds. */
const submit = (executor: Pick<Executor, "submit">, costs: readonly number[]) =>
  costs.map((ms) => executor.submit(block, ms));

const repeat = (count: number, ms: number) => Array.from({ length: count }, () => ms);

/** How long `fn` takes, in milliseconds. */
async function timed(fn: () => PromiseLike<unknown>): Promise<number> {
  const start = performance.now();
  await fn();
  return performance.now() - start;
}

/** Orders of the same calls, the costly ones where each of them does most harm. */
const ORDERS: readonly (readonly number[])[] = [
  [...repeat(40, SLOW), ...repeat(400, 0)],
  [...repeat(400, 0), ...repeat(40, SLOW)],
  Array.from({ length: 440 }, (_, n) => n % 11 === 5 ? SLOW : 0),
  Array.from({ length: 440 }, (_, n) => n % 110 >= 100 ? SLOW : 0),
];

/** Runs calls that block so many milliseconds each. */
type Run = (costs: readonly number[]) => Promise<unknown>;

/** Runs calls with an executor. */
const runBy = (executor: Executor): Run => (costs) => wait(submit(executor, costs));

/** Runs all orders; the worst wall / ideal. */
async function worstOrder(run: Run): Promise<number> {
  let worst = 0;
  for (const costs of ORDERS) {
    const ideal = costs.reduce((sum, cost) => sum + cost, 0) / 4;
    await run([0]);
    worst = Math.max(worst, await timed(() => run(costs)) / ideal);
  }
  return worst;
}

/** Bursts, each of quick calls and a long one, after which a runtime has compiled what it compiles. */
const EARLIER_BURSTS: readonly (readonly number[])[] = Array.from({ length: 30 }, () => [...repeat(400, 0), SLOW]);

/** The worst order after those. */
async function worstOrderLater(run: Run): Promise<number> {
  for (const costs of EARLIER_BURSTS) await run(costs);
  return worstOrder(run);
}

export const ROWS: readonly Row[] = [
  {
    name: "order",
    title: `40 calls of ${SLOW} ms among 400 quick ones, the worst of 4 orders, 4 workers: wall / ideal`,
    unit: "",
    wanted: 1.15,
    workers: 4,
    measure: (executor) => worstOrder(runBy(executor)),
    measureBare: (kind) => withBare(kind, 4, worstOrder),
  },
  {
    name: "order-later",
    title: "The same, when the program has run 30 bursts of 400 quick calls",
    unit: "",
    wanted: 1.15,
    workers: 4,
    measure: (executor) => worstOrderLater(runBy(executor)),
    measureBare: (kind) => withBare(kind, 4, worstOrderLater),
  },
  {
    name: "cancel",
    title: `1,000 calls of ${SLOW} ms: not cancellable, at the worst moment`,
    unit: "calls",
    wanted: 4,
    workers: 2,
    async measure(executor) {
      let worst = 0;
      for (const after of [0, 1, 5, 30, 70]) {
        await executor.submit(block, 0);
        const futures = submit(executor, repeat(1000, SLOW));
        await pause(after);
        const open = futures.filter((future) => !future.done());
        const left = open.filter((future) => !future.cancel());
        worst = Math.max(worst, left.length);
        await wait(left);
      }
      return worst;
    },
  },
  {
    name: "shutdown",
    title: `1,000 calls of ${SLOW} ms: shutdown({ cancelFutures: true })`,
    unit: "ms",
    wanted: 2 * SLOW,
    workers: 2,
    async measure(executor) {
      submit(executor, repeat(1000, SLOW));
      await pause(30);
      return timed(() => executor.shutdown({ cancelFutures: true }));
    },
  },
  {
    name: "map",
    title: `1,000 items of ${SLOW} ms: a call after map({ timeout: 100 }) ended`,
    unit: "ms",
    wanted: 2 * SLOW,
    workers: 2,
    async measure(executor) {
      try {
        for await (const _ of executor.map(block, repeat(1000, SLOW), { timeout: 100 }));
      } catch {
        // Its time is up.
      }
      return timed(() => executor.submit(block, 0));
    },
  },
  {
    name: "behind",
    title: "300 quick calls behind one of 2 s, the other worker idle: all of them",
    unit: "ms",
    wanted: 50,
    workers: 2,
    async measure(executor) {
      await wait(submit(executor, repeat(2000, 0)));
      const [slow, ...quick] = submit(executor, [2000, ...repeat(300, 0)]);
      const took = await timed(() => wait(quick));
      await slow;
      return took;
    },
  },
  {
    name: "before",
    title: "Calls of 1 and 200 ms by turns: how late the results of the short ones are",
    unit: "ms",
    wanted: 10,
    workers: 1,
    async measure(executor) {
      const late: number[] = [];
      await wait(
        Array.from({ length: 20 }, (_, n) => {
          const future = executor.submit(block, n % 2 === 0 ? 1 : 200);
          if (n % 2 === 0) {
            future.addDoneCallback(() =>
              late.push(performance.timeOrigin + performance.now() - (future.outcome as { value: number }).value - 1)
            );
          }
          return future;
        }),
      );
      return Math.max(...late);
    },
  },
  {
    name: "priority",
    title: "Priority 10 among 2,000 calls of 5 ms and priority 0: run first, per worker",
    unit: "calls",
    wanted: 2,
    workers: 2,
    async measure(executor) {
      let worst = 0;
      for (const after of [0, 3, 30, 100]) {
        await executor.submit(block, 0);
        const usual = submit(executor, repeat(2000, 5));
        await pause(after);
        const since = performance.timeOrigin + performance.now();
        const began = await executor.with({ priority: 10 }).submit(block, 5);
        for (const future of usual) future.cancel();
        await wait(usual);
        const first = usual.filter(({ outcome }) =>
          outcome!.status === "fulfilled" && outcome!.value > since && outcome!.value < began
        );
        worst = Math.max(worst, first.length / 2);
      }
      return worst;
    },
  },
];

/** Runs a long call on each worker, and quick ones, one after another, until those count. */
async function warmUp(run: Run, workers: number): Promise<void> {
  await run(repeat(workers, 300));
  for (let n = 0; n < 12; n++) await run([0]);
}

/** Measures with bare workers, which are as warm as those of an executor. */
async function withBare(
  kind: Kind,
  workers: number,
  measure: (run: Run) => Promise<number>,
): Promise<number> {
  const bare = openBare(kind, workers);
  await warmUp(bare.run, workers);
  const figure = await measure(bare.run);
  bare.close();
  return figure;
}

/** Measures a row once, with an executor of its own. */
export async function measureRow(row: Row, kind: Kind): Promise<number> {
  const Class = kind === "threads" ? ThreadPoolExecutor : ProcessPoolExecutor;
  const executor = new Class({ maxWorkers: row.workers, onUnobserved() {} });
  await warmUp(runBy(executor), row.workers);
  const figure = await row.measure(executor);
  await executor.shutdown({ cancelFutures: true });
  return figure;
}
