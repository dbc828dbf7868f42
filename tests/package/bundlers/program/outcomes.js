// Tries each kind of task in each kind of worker.
import { ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "@concurrent/futures";

const prices = taskModule(new URL("./prices.mjs", import.meta.url));

async function outcomesOf(Executor, { square, cube }, options) {
  const outcomes = {};
  const calls = {
    inline: [[(n) => n * 2, 21, 42]],
    task: [[square, 3, 9], [cube, 3, 27]],
    taskModule: [[prices.withTax, 2, 3]],
  };
  let executor;
  for (const [kind, tries] of Object.entries(calls)) {
    try {
      executor ??= new Executor({ maxWorkers: 1, ...options });
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

/**
 * Returns what came of each.
 *
 * @param tasks Two functions of task().
 * @param options Options of the two executors.
 */
export async function outcomes(tasks, { threads = {}, processes = {} } = {}) {
  return {
    threads: await outcomesOf(ThreadPoolExecutor, tasks, threads),
    processes: await outcomesOf(ProcessPoolExecutor, tasks, processes),
  };
}
