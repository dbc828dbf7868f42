// Workers that start from a file of the user's own: the options `worker` and `entry`, and "@concurrent/futures/worker".

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { test } from "node:test";
import process from "node:process";
import { Worker as NodeWorker } from "node:worker_threads";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../mod.ts";
import { runtime } from "../support/runtime.ts";
import { programs } from "./world.ts";
import { assertError } from "../support/assert_error.ts";

/** The options of the executor, and the class of its threads, as a program of this runtime has them. */
const OWN = `
  import { Worker as NodeWorker } from "node:worker_threads";
  const url = new URL("./my_worker.ts", import.meta.url);
  const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);
  const startThread = (file: URL) => isNode ? new NodeWorker(file) : new Worker(file, { type: "module" });
  const own = { ThreadPoolExecutor: { worker: () => startThread(url) }, ProcessPoolExecutor: { entry: url } }.EXECUTOR;
  import { EXECUTOR as Executor } from "@concurrent/futures";
`;

const TASKS = `
  import { currentTask, task } from "@concurrent/futures/task";
  const state = { loaded: 0 };
  export const square = task(import.meta.url, (n: number) => n * n);
  export const count = task(import.meta.url, () => ++state.loaded);
  export const fail = task(import.meta.url, () => { throw new RangeError("no"); });
  export const name = task(import.meta.url, () => currentTask().workerName);`;

programs([
  {
    name: "a worker of the user's own has the tasks and the state of its file, and is a worker like any other",
    files: {
      "tasks.ts": TASKS,
      "my_worker.ts": `
        import { currentTask } from "@concurrent/futures/worker";
        import "./tasks.ts";
        (globalThis as any).mine = () => currentTask().attempt;`,
      "main.ts": `${OWN}
        import { count, fail, name, square } from "./tasks.ts";
        const executor = new Executor({ ...own, maxWorkers: 1, name: "mine", initializer: count });
        const shown = [await executor.submit(square, 7), await executor.submit(count), await executor.submit(name)];
        shown.push(await executor.submit(() => (globalThis as any).mine()));
        for await (const n of executor.map(square, [1, 2, 3])) shown.push(n);
        const error = await executor.submit(fail).exception() as Error;
        shown.push(error instanceof RangeError, error.message);
        await executor.shutdown();
        console.log(shown.join());`,
    },
    prints: "49,2,mine_0,1,1,4,9,true,no",
  },
  {
    name: "its tasks are found by names where their module has another URL",
    files: {
      "tasks.ts": TASKS.replaceAll("import.meta.url, ", `"file:///in/the/program.js", `)
        .replace("=> n * n)", `=> n * n, { name: "square" })`).replace(
          "++state.loaded)",
          "++state.loaded, { module: 'counts' })",
        ),
      "worker_tasks.ts": TASKS.replaceAll("import.meta.url, ", `"file:///in/the/worker.js", `)
        .replace("=> n * n)", `=> n * n, { name: "square" })`).replace(
          "++state.loaded)",
          "++state.loaded, { module: 'counts' })",
        ),
      "my_worker.ts": `import "@concurrent/futures/worker"; import "./worker_tasks.ts";`,
      "main.ts": `${OWN}
        import { count, fail, square } from "./tasks.ts";
        const executor = new Executor({ ...own, maxWorkers: 1 });
        console.log(await executor.submit(square, 7), await executor.submit(count));
        console.log((await executor.submit(fail).exception() as Error).message);
        await executor.shutdown();`,
    },
    prints: /^49 1\nCannot load the task number 1 as its module .*import the task's module there, and give it a name/,
  },
  {
    name: "a file that does not serve is no worker",
    files: {
      "my_worker.ts":
        `setTimeout(() => { const { Deno, process } = globalThis as any; Deno ? self.close() : process.exit(); }, 50);`,
      "main.ts": `${OWN}
        const executor = new Executor({ ...own, maxWorkers: 1 });
        const error = await executor.submit(() => 1).exception() as Error;
        console.log(error.name, /ended without an answer: its file has to import "@concurrent\\/futures\\/worker"/.test(error.message));
        await executor.shutdown();`,
    },
    on: ["bun", "node"], // Deno (2.9) does not tell that a thread has closed itself
    prints: /^Broken\w+Pool true\n$/,
  },
  {
    name: "the program and workers that no executor has started can import what serves one, and nothing comes of it",
    files: {
      "plain.ts": `
        import { currentTask, isWorker } from "@concurrent/futures/worker";
        const { parentPort } = await import("node:worker_threads");
        const get = (message: unknown) => {
          try { currentTask(); } catch (error) { post([message, isWorker, (error as Error).name]); }
        };
        const post = (message: unknown) => parentPort && isNode ? parentPort.postMessage(message) : (self as any).postMessage(message);
        const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);
        if (isNode) parentPort!.once("message", get);
        else addEventListener("message", (event) => get((event as MessageEvent).data), { once: true });`,
      "main.ts": `${OWN}
        import { isWorker } from "@concurrent/futures/worker";
        new Executor(own);
        const thread: any = startThread(new URL("./plain.ts", import.meta.url));
        const answer: any = new Promise((resolve) => {
          if (isNode) thread.on("message", resolve);
          else thread.onmessage = (event: MessageEvent) => resolve(event.data);
        });
        thread.postMessage("hello");
        console.log(isWorker, (await answer).join());
        thread.terminate();`,
      "my_worker.ts": "export {};",
    },
    prints: "false hello,false,Error",
  },
]);

test("the options of workers of the user's own are checked", async () => {
  const wrong = (options: object, message: RegExp) =>
    assertError(assertThrows(() => new ThreadPoolExecutor(options)), { name: "TypeError", message });
  wrong({ worker: 5 }, /^Cannot create ThreadPoolExecutor as 'worker' must be a function: received 5/);
  wrong({ worker: () => {}, permissions: "none" }, /'permissions' must be left out beside 'worker'/);
  wrong({ entry: new URL("file:///a.js") }, /there is no option 'entry'/);
  for (const entry of ["./a.js", new URL("https://example.com/a.js"), 5]) {
    const message = /^Cannot create ProcessPoolExecutor as 'entry' must be a file: URL/;
    assertError(assertThrows(() => new ProcessPoolExecutor({ entry } as never)), { name: "TypeError", message });
  }
  const message = /^Cannot start a worker process as there is no file file:.*no_such.ts, which is the 'entry'$/;
  assertError(assertThrows(() => new ProcessPoolExecutor({ entry: new URL("./no_such.ts", import.meta.url) })), {
    message,
  });

  // URLs that no file can have here; runtimes refuse them with errors of their own.
  for (const href of ["file:///a%2Fb.mjs", ...(process.platform === "win32" ? [] : ["file://host/a.mjs"])]) {
    assertError(assertThrows(() => new ProcessPoolExecutor({ entry: new URL(href) })), {
      name: "Error",
      message: /there is no file/,
    });
  }

  for (const bad of [undefined, {}, () => {}]) {
    const executor = new ThreadPoolExecutor({ worker: () => bad as never });
    const error = await executor.submit(() => 1).exception() as Error;
    assertEquals(error.name, "BrokenThreadPool");
    assertMatch(error.message, /'worker' must return a Worker/);
    await executor.shutdown();
  }
  const failing = new ThreadPoolExecutor({
    worker: () => {
      throw new RangeError("no thread today");
    },
  });
  assertMatch(String((await failing.submit(() => 1).exception() as Error).message), /no thread today/);
  await failing.shutdown();
});

test("a thread serves one executor", async () => {
  const file = new URL("../../src/own_worker/mod.ts", import.meta.url);
  let thread: NodeWorker | Worker | undefined;
  const worker = () => thread ??= runtime === "node" ? new NodeWorker(file) : new Worker(file, { type: "module" });
  const first = new ThreadPoolExecutor({ maxWorkers: 1, worker }), second = new ThreadPoolExecutor({ worker });
  assertEquals(await first.submit(() => 5), 5);
  assertMatch(
    String((await second.submit(() => 5).exception() as Error).message),
    /must return a new Worker each time/,
  );
  await Promise.all([first.shutdown(), second.shutdown()]);
});
