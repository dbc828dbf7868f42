// What the test runs in a page: each case returns what JSON can hold.
import {
  asCompleted,
  InlineExecutor,
  ProcessPoolExecutor,
  taskModule,
  ThreadPoolExecutor,
  transfer,
} from "@concurrent/futures";
import { iterateSync, resultSync } from "@concurrent/futures/sync";
import * as tasks from "./tasks.js";

const prices = taskModule(new URL("./prices.js", import.meta.url));

/** The names of an error's class and message, or the result. */
async function outcome(promise) {
  try {
    return await promise;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

/**
 * @param options Of each executor.
 */
export function cases(options = {}) {
  /** Runs `use` with an executor, and ends it. */
  const using = async (use, more = {}) => {
    const executor = new ThreadPoolExecutor({ maxWorkers: 2, ...options, ...more });
    try {
      return await use(executor);
    } finally {
      await executor.shutdown();
    }
  };
  return {
    isolated: () => crossOriginIsolated,
    inline: () => using((executor) => outcome(executor.submit((n) => n * 2, 21))),
    method: () =>
      using((executor) =>
        outcome(executor.submit(
          {
            double(n) {
              return n * 2;
            },
          }.double,
          21,
        ))
      ),
    task: () => using((executor) => outcome(executor.submit(tasks.square, 3))),
    taskModule: () => using((executor) => outcome(executor.submit(prices.total, [1, 2, 3]))),
    map: () =>
      using(async (executor) => {
        const results = [];
        for await (const result of executor.map(tasks.square, [1, 2, 3, 4], { buffersize: 2 })) results.push(result);
        return results;
      }),
    asCompleted: () =>
      using(async (executor) => {
        let sum = 0;
        for await (const future of asCompleted([1, 2, 3].map((n) => executor.submit(tasks.square, n)))) {
          sum += await future;
        }
        return sum;
      }),
    error: () =>
      using(async (executor) => {
        const error = await executor.submit(tasks.fail).exception();
        return [error instanceof RangeError, error.message, error.cause instanceof TypeError, error.cause.message];
      }),
    uncloneable: () => using((executor) => outcome(executor.submit(tasks.square, () => {}))),
    /** A worker in an endless loop is stopped at once, and its place taken. */
    endlessLoop: () =>
      using(async (executor) => {
        const error = await outcome(
          executor.submit(tasks.square, 1).then(() => executor.with({ timeout: 50, grace: 0 }).submit(tasks.loop)),
        );
        const after = await executor.submit(tasks.square, 4);
        return [error, after, executor.stats().abandoned];
      }, { maxWorkers: 1 }),
    terminate: async () => {
      const executor = new ThreadPoolExecutor({ ...options, maxWorkers: 1 });
      await executor.submit(tasks.square, 1);
      const running = executor.submit(tasks.loop), queued = executor.submit(tasks.square, 2);
      while (!running.running()) await new Promise((resolve) => setTimeout(resolve));
      const [, ...outcomes] = await Promise.all([executor.terminateWorkers(), outcome(running), outcome(queued)]);
      return [...outcomes, executor.stats().abandoned];
    },
    cancel: () =>
      using(async (executor) => {
        const first = new AbortController(), second = new AbortController();
        const running = executor.with({ signal: first.signal }).submit(tasks.untilAborted);
        while (!running.running()) await new Promise((resolve) => setTimeout(resolve));
        const queued = executor.submit(tasks.square, 2);
        const unwanted = executor.with({ signal: second.signal }).submit(tasks.square, 3);
        const cancelled = queued.cancel();
        second.abort();
        first.abort();
        return [cancelled, await outcome(queued), await outcome(unwanted), await outcome(running)];
      }, { maxWorkers: 1 }),
    close: () =>
      using((executor) => outcome(executor.submit(tasks.close).then(() => executor.submit(tasks.square, 2)))),
    throwLater: () => using((executor) => outcome(executor.submit(tasks.throwLater)), { maxWorkers: 1 }),
    rejectLater: () => using((executor) => outcome(executor.submit(tasks.rejectLater)), { maxWorkers: 1 }),
    many: () =>
      using(async (executor) => {
        const results = await Promise.all(Array.from({ length: 5000 }, (_, n) => executor.submit(tasks.square, n)));
        return results.reduce((sum, n) => sum + n, 0);
      }),
    manyByMap: () =>
      using(async (executor) => {
        let sum = 0;
        for await (
          const n of executor.map(tasks.square, Array.from({ length: 5000 }, (_, n) => n), { chunksize: 50 })
        ) {
          sum += n;
        }
        return sum;
      }),
    transfer: () =>
      using(async (executor) => {
        const bytes = new Uint8Array([1, 2, 3]);
        const future = executor.submit(tasks.invert, transfer(bytes, [bytes.buffer]));
        return [...await future, bytes.length];
      }),
    idle: () =>
      using(async (executor) => {
        await executor.submit(tasks.square, 1);
        while (executor.stats().idle + executor.stats().busy > 0) {
          await new Promise((resolve) => setTimeout(resolve));
        }
        return await executor.submit(tasks.square, 2);
      }, { idleTimeout: 1 }),
    initializer: () =>
      using((executor) => executor.submit(() => globalThis.greeting), {
        initializer: (greeting) => {
          globalThis.greeting = greeting;
        },
        initargs: ["hello"],
      }),
    /** Imported, it changes nothing; called, it says why not. */
    blocking: () =>
      using(async (executor) => {
        const future = executor.submit(tasks.square, 3), messages = [];
        for (const attempt of [() => resultSync(future), () => iterateSync(executor.map(tasks.square, [1]))]) {
          try {
            messages.push(attempt());
          } catch (error) {
            messages.push(error.message);
          }
        }
        return [...messages, await future];
      }),
    inlineExecutor: async () => {
      const executor = new InlineExecutor();
      const here = await executor.submit(() => document.title);
      const results = [];
      for await (const n of executor.map(tasks.square, [1, 2, 3])) results.push(n);
      const error = await executor.submit(tasks.fail).exception();
      const bytes = new Uint8Array([1, 2]);
      const inverted = await executor.submit(tasks.invert, transfer(bytes, [bytes.buffer]));
      const uncloneable = await outcome(executor.submit(tasks.square, () => {}));
      const stopped = await outcome(executor.with({ timeout: 20, grace: 0 }).submit(tasks.untilAborted));
      const yielded = [];
      for await (
        const n of executor.stream(function* () {
          yield 1;
          yield 2;
        })
      ) yielded.push(n);
      await executor.shutdown();
      return [here, results, `${error}`, [...inverted], bytes.length, uncloneable, stopped, yielded];
    },
    processes: () => {
      try {
        new ProcessPoolExecutor();
      } catch (error) {
        return error.message;
      }
    },
  };
}
