// Tries each kind of task in each kind of worker, as the README has them, and writes what came of it into `outcomes.json`.

import { writeFileSync } from "node:fs";
import { ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "@concurrent/futures";
import { countWords } from "./tasks.ts";

const prices = taskModule<typeof import("./prices.ts")>(new URL("./prices.ts", import.meta.url));

async function outcome<T>(result: PromiseLike<T>, expected: T): Promise<object> {
  try {
    const actual = await result;
    return actual === expected ? { works: true } : { works: false, error: `The result is ${actual}` };
  } catch (error) {
    return { works: false, error: String(error) };
  }
}

export async function report(): Promise<void> {
  const outcomes: Record<string, object> = {};
  for (const [name, Executor] of [["threads", ThreadPoolExecutor], ["processes", ProcessPoolExecutor]] as const) {
    const executor = new Executor({ maxWorkers: 1 });
    outcomes[name] = {
      inline: await outcome(executor.submit((n: number) => n * 2, 21), 42),
      task: await outcome(executor.submit(countWords, "one two three"), 3),
      taskModule: await outcome(executor.submit(prices.total, [1, 2, 3]), 6),
    };
    await executor.shutdown();
  }
  writeFileSync("outcomes.json", JSON.stringify(outcomes));
}
