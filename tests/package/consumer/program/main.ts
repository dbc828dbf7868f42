// deno-lint-ignore-file no-console -- a program prints
// Uses the package as an application in TypeScript does. Both the types and the run are checked: a line marked with
// `@ts-expect-error` must not compile.

import { asCompleted, type Future, ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "@concurrent/futures";
import { ProcessPoolExecutor as FromProcess } from "@concurrent/futures/process";
import { ThreadPoolExecutor as FromThread } from "@concurrent/futures/thread";
import { currentTask } from "@concurrent/futures/worker";
import { add } from "./words.ts";

function equal<T>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${actual} is not ${expected}`);
}

async function use(Executor: typeof ThreadPoolExecutor | typeof ProcessPoolExecutor): Promise<void> {
  await using executor = new Executor({ maxWorkers: 2, name: "consumer" });

  const doubled: Future<number> = executor.submit((n: number) => n * 2, 21);
  equal<number>(await doubled, 42);
  equal<number>(await executor.submit(add, 1, 2), 3);

  const words = taskModule<typeof import("./words.ts")>(new URL("./words.ts", import.meta.url));
  const reversed: Future<string> = executor.submit(words.reverse, "abc");
  equal<string>(await reversed, "cba");

  let sum = 0;
  for await (const n of executor.map(add, [1, 2], [10, 20])) sum += n;
  equal(sum, 33);

  const futures = [executor.submit(add, 1, 2), executor.submit(add, 3, 4)];
  for await (const future of asCompleted(futures)) {
    equal(await future.exception(), undefined);
    sum += await future;
  }
  equal(sum, 43);
}

/** Is compiled, never called. */
export function mustNotCompile(executor: ThreadPoolExecutor): void {
  // @ts-expect-error the second number is a string
  executor.submit(add, 1, "2");
  // @ts-expect-error the second number is missing
  executor.submit(add, 1);
  // @ts-expect-error the result is a number
  const text: Future<string> = executor.submit(add, 1, 2);
  // @ts-expect-error there is no such option
  new ThreadPoolExecutor({ workers: 2 });
  // @ts-expect-error the items are numbers
  executor.map(add, [1], ["2"]);
  const signal: AbortSignal = currentTask().signal;
  console.log(text, signal);
}

equal(FromThread, ThreadPoolExecutor);
equal(FromProcess, ProcessPoolExecutor);
await use(ThreadPoolExecutor);
await use(ProcessPoolExecutor);
console.log("all is well");
