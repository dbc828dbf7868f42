// deno-lint-ignore-file no-console -- a program prints
// Tries each kind of task in each kind of worker, and prints what came of it, as JSON. `kinds.ts read`: the workers may read
// this folder, and nothing else.

import process from "node:process";
import { isWorker, ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "@concurrent/futures";
import { add } from "./words.ts";

const words = taskModule<typeof import("./words.ts")>(new URL("./words.ts", import.meta.url));
const options = process.argv[2] === "read" ? { permissions: { read: ["."] } } : {};

async function tryIn(Executor: typeof ThreadPoolExecutor | typeof ProcessPoolExecutor): Promise<unknown> {
  const outcomes: Record<string, unknown> = {};
  for (const kind of ["inline", "task", "taskModule"]) {
    try {
      await using executor = new Executor({ maxWorkers: 1, ...options });
      const result: unknown = kind === "inline"
        ? await executor.submit((n: number) => n * 2, 21)
        : kind === "task"
        ? await executor.submit(add, 40, 2)
        : await executor.submit(words.reverse, "24");
      outcomes[kind] = Number(result) === 42 ? { works: true } : { works: false, error: `returned ${result}` };
    } catch (error) {
      outcomes[kind] = { works: false, error: String(error) };
    }
  }
  return outcomes;
}

if (!isWorker) {
  const threads = await tryIn(ThreadPoolExecutor);
  console.log(JSON.stringify({ threads, processes: await tryIn(ProcessPoolExecutor) }));
}
