// A program and its tasks in one file. It works with a guard; without one, it is told once what to do.

import { EXECUTORS, type Program, programs } from "./world.ts";

/** What the first Future of a program says whose file gives work when a worker loads it. */
const WHILE_LOADING =
  /Cannot (submit|map) a task while a worker loads file:\/\/\S*main\.ts: .*`if \(import\.meta\.main\) \{ \.\.\. \}`.*isWorker.*a file of their own/;

/** What it says when that has begun while it was loaded, and comes later. */
const AFTER_LOADING =
  /Cannot (submit|map) a task outside of a task, in what the worker's module file:\/\/\S*main\.ts has started when it was loaded: .*`if \(import\.meta\.main\)/;

const HEAD = `
  import { EXECUTOR as Executor, isWorker, task } from "@concurrent/futures";
  export const double = task(import.meta.url, function double(n: number): number {
    return n * 2;
  });
  export const later = task(import.meta.url, async function later(n: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return n * 2;
  });
  console.log("loaded");
`;

/** A program in one file. */
function oneFile(name: string, code: string, rest: Omit<Program, "name" | "files">): Program {
  return { name, files: { "main.ts": HEAD + code }, ...rest };
}

/** Arguments that load `setup.ts` first. */
const PRELOADED = {
  deno: ["run", "-A", "--no-check", "--preload", "./setup.ts", "main.ts"],
  bun: ["--preload", "./setup.ts", "main.ts"],
  node: ["--import", "./setup.ts", "main.ts"],
};

/** What `main.ts` prints when the program and its one worker load it. */
const TWICE = /^loaded\nloaded\n$/;

programs([
  oneFile(
    "guarded by import.meta.main",
    `if (import.meta.main) {
      await using executor = new Executor();
      console.log(await executor.submit(double, 21));
    }`,
    { prints: /^loaded\n(loaded\n)+42\n$/ },
  ),
  oneFile(
    "guarded by isWorker",
    `async function main() {
      await using executor = new Executor({ maxWorkers: 1 });
      console.log(await Array.fromAsync(executor.map(double, [1, 2, 3])));
    }
    if (!isWorker) main();`,
    { prints: /^loaded\nloaded\n\[\s*2,\s*4,\s*6\s*\]\n$/ },
  ),
  ...["require.main === module", "!isWorker"].map((guard): Program => ({
    name: `in CommonJS, guarded by ${guard}`,
    files: {
      "main.cjs": `
        const { pathToFileURL } = require("node:url");
        const { EXECUTOR: Executor, isWorker, task } = require("@concurrent/futures");
        exports.double = task(pathToFileURL(__filename), function double(n) {
          return n * 2;
        });
        async function main() {
          const executor = new Executor({ maxWorkers: 1 });
          console.log(await executor.submit(exports.double, 21));
          await executor.shutdown();
        }
        if (${guard}) main();`,
    },
    args: { bun: ["main.cjs"], node: ["main.cjs"] },
    prints: "42",
  })),
  oneFile(
    "without a guard: top-level await",
    `await using executor = new Executor({ maxWorkers: 1 });
    console.log(await executor.submit(double, 21));`,
    { prints: TWICE, complains: WHILE_LOADING, code: 1 },
  ),
  oneFile(
    "without a guard: map() at top level",
    `await using executor = new Executor({ maxWorkers: 1 });
    for await (const n of executor.map(double, [1, 2, 3])) console.log(n);`,
    { prints: TWICE, complains: WHILE_LOADING, code: 1 },
  ),
  oneFile(
    "without a guard: map() of an async input",
    `await using executor = new Executor({ maxWorkers: 1 });
    async function* input() {
      yield 1;
    }
    for await (const n of executor.map(double, input())) console.log(n);`,
    { prints: TWICE, complains: WHILE_LOADING, code: 1 },
  ),
  oneFile(
    "without a guard: an initializer of the same file",
    `const executor = new Executor({ maxWorkers: 1, initializer: double, initargs: [1] });
    console.log(await executor.submit(double, 21));`,
    { prints: TWICE, complains: WHILE_LOADING, code: 1 },
  ),
  oneFile(
    "without a guard: main() that nobody awaits",
    `async function main() {
      await using executor = new Executor({ maxWorkers: 1 });
      console.log(await executor.submit(double, 21));
    }
    main();`,
    { prints: TWICE, complains: WHILE_LOADING, code: 1 },
  ),
  oneFile(
    "without a guard: main() whose errors are printed",
    `async function main() {
      await using executor = new Executor({ maxWorkers: 1 });
      console.log(await executor.submit(double, 21));
    }
    main().catch((error) => console.error(String(error)));`,
    { prints: TWICE, complains: WHILE_LOADING },
  ),
  oneFile(
    "without a guard: main() whose errors end the program",
    `import process from "node:process";
    async function main() {
      await using executor = new Executor({ maxWorkers: 1 });
      console.log(await executor.submit(double, 21));
    }
    main().catch((error) => {
      console.error(String(error));
      process.exit(3);
    });`,
    { prints: TWICE, complains: WHILE_LOADING, code: 3 },
  ),
  oneFile(
    "without a guard: main() that swallows errors",
    `async function main() {
      const executor = new Executor({ maxWorkers: 1 });
      try {
        await executor.submit(double, 21);
      } catch (error) {
        if (!isWorker) console.log((error as Error).message);
      }
      await executor.shutdown();
    }
    main();`,
    { prints: new RegExp(`^loaded\nloaded\n.*${WHILE_LOADING.source}`) },
  ),
  oneFile(
    "without a guard: every call is told, and none costs a worker",
    `async function main() {
      await using executor = new Executor({ maxWorkers: 1 });
      const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => executor.submit(double, n)));
      console.log(ends.filter((end) => /while a worker loads/.test(String((end as PromiseRejectedResult).reason))).length);
      console.log(executor.stats().lost);
    }
    main();`,
    { prints: /^loaded\nloaded\n50\n0\n$/, complains: /^$|while a worker loads/ },
  ),
  oneFile(
    "without a guard: main() that has awaited something before it submits, while a task runs",
    `import { readdir } from "node:fs/promises";
    async function main() {
      await readdir(".");
      await using executor = new Executor({ maxWorkers: 1 });
      for (let n = 1; n < 10; n++) console.log(await executor.submit(later, n));
    }
    main();`,
    { prints: /^loaded\nloaded\n(2\n)?$/, complains: AFTER_LOADING, code: 1 },
  ),
  oneFile(
    "without a guard: a timer that submits",
    `const executor = new Executor({ maxWorkers: 1 });
    setTimeout(async () => {
      for (let n = 1; n < 10; n++) console.log(await executor.submit(later, n));
    }, 20);`,
    { prints: /^loaded\nloaded\n(2\n)?$/, complains: AFTER_LOADING, code: 1 },
  ),
  {
    name: "the module of tasks imports the program, which has no guard",
    files: {
      "tasks.ts": `
        import { task } from "@concurrent/futures";
        import { FACTOR } from "./main.ts";
        export const scale = task(import.meta.url, function scale(n: number): number {
          return n * FACTOR;
        });`,
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        import { scale } from "./tasks.ts";
        export const FACTOR = 2;
        const executor = new Executor({ maxWorkers: 1 });
        console.log(await executor.submit(() => "inline"));
        console.log(await executor.submit(scale, 1));
        await executor.shutdown();`,
    },
    prints: "inline",
    complains: /Cannot submit a task while a worker loads file:\/\/\S*tasks\.ts: /,
    code: 1,
  },
  {
    name: "an executor of a module that the tasks import, too, is harmless, and tasks can use it",
    files: {
      "pool.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        export const pool = new Executor({ maxWorkers: 1 });
        await using unused = new Executor();`,
      "tasks.ts": `
        import { task } from "@concurrent/futures";
        import { pool } from "./pool.ts";
        export const half = task(import.meta.url, function half(n: number): number {
          return n / 2;
        });
        export const quarter = task(import.meta.url, async function quarter(n: number): Promise<number> {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return await pool.submit(half, await pool.submit(half, n));
        });`,
      "main.ts": `
        import { pool } from "./pool.ts";
        import { quarter } from "./tasks.ts";
        console.log(await Promise.all([4, 8].map((n) => pool.submit(quarter, n))));
        await pool.shutdown();`,
    },
    prints: /^\[\s*1,\s*2\s*\]\n$/,
  },
  oneFile(
    "a task that makes an executor of its own, of the same file, after it has awaited something",
    `export const nested = task(import.meta.url, async function nested(n: number): Promise<number> {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await using executor = new Executor({ maxWorkers: 1 });
      return await executor.submit(double, await executor.submit(double, n));
    });
    if (import.meta.main) {
      await using executor = new Executor({ maxWorkers: 1 });
      console.log(await executor.submit(nested, 10), await executor.submit(nested, 20));
    }`,
    { prints: /^(loaded\n){4}40 80\n$/ },
  ),
  {
    name: "an inline task that imports executors only then",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        await using executor = new Executor({ maxWorkers: 1 });
        const nested = async (url: string, n: number) => {
          const { EXECUTOR: Executor } = await import(url);
          await new Promise((resolve) => setTimeout(resolve, 5));
          const inner = new Executor({ maxWorkers: 1 });
          const result = await inner.submit((n: number) => n + 1, n);
          await inner.shutdown();
          return result;
        };
        const url = import.meta.resolve("@concurrent/futures");
        console.log(await executor.submit(nested, url, 1), await executor.submit(nested, url, 2));`,
    },
    prints: "2 3",
  },
  {
    name: "what a running task has called back gives work, too",
    files: {
      "tasks.ts": `
        import { EXECUTOR as Executor, task, wait, currentTask } from "@concurrent/futures";
        import { readFile } from "node:fs";
        import { fileURLToPath } from "node:url";
        const WAYS = ["now", "timeout", "microtask", "callback", "event", "abort", "done"];
        const pools = new Map(WAYS.map((where) => [where, new Executor({ maxWorkers: 1 })]));
        export const useIn = task(import.meta.url, async function useIn(where: string): Promise<number> {
          const one = () => pools.get(where)!.submit(() => 1);
          if (where === "now") return await one();
          if (where === "timeout") return await new Promise((resolve) => setTimeout(() => resolve(one()), 1));
          if (where === "microtask") return await new Promise((resolve) => queueMicrotask(() => resolve(one())));
          if (where === "callback") {
            return await new Promise((resolve) => readFile(fileURLToPath(import.meta.url), () => resolve(one())));
          }
          if (where === "event") {
            const target = new EventTarget();
            return await new Promise((resolve) => {
              target.addEventListener("it", () => resolve(one()));
              setTimeout(() => target.dispatchEvent(new Event("it")), 1);
            });
          }
          if (where === "abort") {
            const { signal } = currentTask();
            return await new Promise((resolve) => signal.addEventListener("abort", () => resolve(one())));
          }
          const inner = new Executor({ maxWorkers: 1 });
          return await new Promise((resolve) =>
            inner.submit(() => 1).addDoneCallback(() => resolve(inner.submit(() => 1)))
          );
        });`,
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        import { useIn } from "./tasks.ts";
        await using executor = new Executor({ maxWorkers: 1 });
        for (const where of ["now", "timeout", "microtask", "callback", "event", "abort", "done"]) {
          const stop = new AbortController();
          const future = executor.with({ signal: stop.signal, grace: 30_000 }).submit(useIn, where);
          if (where === "abort") {
            while (!future.running()) await new Promise((resolve) => setTimeout(resolve, 5));
            stop.abort("stop");
          }
          await future.exception();
          console.log(where, future.outcome?.status === "fulfilled" ? future.outcome.value : future.outcome?.reason);
        }`,
    },
    prints: "now 1\ntimeout 1\nmicrotask 1\ncallback 1\nevent 1\nabort 1\ndone 1",
  },
  {
    name: "isWorker is true in tasks and in the modules that workers load, of each of the package's entry points",
    files: {
      "tasks.ts": `
        import { isWorker, task } from "@concurrent/futures";
        import { isWorker as same } from "@concurrent/futures/worker";
        export const loadedIn = isWorker;
        export const ask = task(import.meta.url, function ask(): boolean[] {
          return [isWorker, same, loadedIn];
        });`,
      "main.ts": `
        import { EXECUTOR as Executor, isWorker } from "@concurrent/futures";
        import { ask, loadedIn } from "./tasks.ts";
        await using executor = new Executor();
        console.log([isWorker, loadedIn, ask()].join(), (await executor.submit(ask)).join());
        const url = import.meta.resolve("@concurrent/futures/worker");
        console.log(await executor.submit(async (url: string) => (await import(url)).isWorker, url));`,
    },
    prints: "false,false,false,false,false true,true,true\ntrue",
  },
  {
    name: "a file that is loaded before the program, and before its workers, gives work unless isWorker",
    files: {
      "setup.ts": `
        import { EXECUTOR as Executor, isWorker } from "@concurrent/futures";
        if (!isWorker) {
          const executor = new Executor({ maxWorkers: 1 });
          console.log(await executor.submit(() => "set up"));
          await executor.shutdown();
        }`,
      "main.ts": `
        import process from "node:process";
        import { EXECUTOR as Executor, isWorker } from "@concurrent/futures";
        await using executor = new Executor({ maxWorkers: 1 });
        const url = import.meta.resolve("@concurrent/futures");
        console.log(isWorker, await executor.submit(async (url: string) => (await import(url)).isWorker, url));
        const argv = await executor.submit(async () => {
          const { default: process } = await import("node:process");
          return process.argv.slice(2);
        });
        console.log(argv.length);`,
    },
    args: PRELOADED,
    prints: "set up\nfalse true\n0",
  },
  ...([["node", EXECUTORS], ["bun", ["ProcessPoolExecutor"]]] as const).map(([runtime, executors]): Program => ({
    name: "a file that is loaded before the program, and before its workers, and gives work: without a guard",
    files: {
      "setup.ts": `
        console.log("loaded");
        import { EXECUTOR as Executor } from "@concurrent/futures";
        const executor = new Executor({ maxWorkers: 1 });
        console.log(await executor.submit(() => "set up"));
        await executor.shutdown();`,
      "main.ts": `console.log("main");`,
    },
    executors, // threads of Bun load no such file
    args: { [runtime]: PRELOADED[runtime] },
    // Three workers fail to start.
    prints: /^(loaded\n){1,4}$/,
    complains: /Cannot submit a task in a worker that has not begun: .*`--import`.*isWorker/,
    code: 1,
  })),
  {
    name: "isWorker is true in a file that only the workers load first",
    files: {
      "first.ts": `
        import { isWorker } from "@concurrent/futures";
        console.log("first", isWorker);`,
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        const flag = "Deno" in globalThis || "Bun" in globalThis ? "--preload" : "--import";
        await using executor = new Executor({ maxWorkers: 1, execArgv: [flag, "./first.ts"] });
        console.log(await executor.submit(() => "task"));`,
    },
    executors: ["ProcessPoolExecutor"],
    prints: "first true\ntask",
  },
  {
    name: "a worker serves no queue when it loads a module",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor, isWorker, task } from "@concurrent/futures";
        import { serve } from "@concurrent/futures/bullmq";
        export const double = task(import.meta.url, function double(n: number) {
          return n * 2;
        });
        if (isWorker) await serve({ queue: "words", tasks: { words: import.meta.url } });
        const executor = new Executor({ maxWorkers: 1 });
        console.log(((await executor.submit(double, 1).exception()) as Error).message);
        await executor.shutdown();`,
    },
    prints: /fails to load: Cannot serve while a worker loads file:\S*main\.ts: .*isWorker/,
  },
  {
    name: "an executable that does not look compiled gives no work when it is started as a worker",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        const executor = new Executor({ maxWorkers: 1 });
        console.log(await executor.submit(() => "again"));`,
    },
    args: { bun: ["main.ts", "entry.js", "--futures-worker"], node: ["main.ts", "entry.js", "--futures-worker"] },
    prints: "",
    complains: /An executable that was compiled from a program cannot be a worker process: use ThreadPoolExecutor/,
    code: 1,
  },
]);
