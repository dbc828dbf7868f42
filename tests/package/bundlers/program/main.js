// Tries each kind of task in each kind of worker, and prints what came of it as JSON.
import { isWorker, ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "@concurrent/futures";
import { cube, square } from "./tasks.js";

const prices = taskModule(new URL("./prices.js", import.meta.url));

async function outcomesOf(Executor) {
  const outcomes = {};
  const calls = {
    inline: [[(n) => n * 2, 21, 42]],
    task: [[square, 3, 9], [cube, 3, 27]],
    taskModule: [[prices.withTax, 2, 3]],
  };
  let executor;
  for (const [kind, tries] of Object.entries(calls)) {
    try {
      executor ??= new Executor({ maxWorkers: 1 });
      for (const [fn, argument, result] of tries) {
        const got = await executor.submit(fn, argument);
        if (got !== result) throw new Error(`it returned ${got} rather than ${result}`);
      }
      outcomes[kind] = { works: true };
    } catch (error) {
      outcomes[kind] = { works: false, error: String(error) };
    }
  }
  await executor?.shutdown();
  return outcomes;
}

async function main() {
  const threads = await outcomesOf(ThreadPoolExecutor);
  console.log(JSON.stringify({ threads, processes: await outcomesOf(ProcessPoolExecutor) }));
}

/** Vite waits for it before it closes its server. */
export const done = isWorker ? undefined : main();
