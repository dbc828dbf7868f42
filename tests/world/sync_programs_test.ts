// Programs that block, as users write them.

import { assert, assertMatch, assertStrictEquals } from "@std/assert";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { runtime } from "../support/runtime.ts";
import { makeFolder, programs, RUN, runIn } from "./world.ts";

/** A worker that the program has started itself, and which blocks. `SEND` stands for how it sends something. */
const INNER = `
  import { EXECUTOR as Executor } from "@concurrent/futures";
  import { iterateSync, resultSync } from "@concurrent/futures/sync";
  const executor = new Executor({ maxWorkers: 1 });
  const double = (n: number) => n * 2;
  SEND([resultSync(executor.submit(double, 21)), ...iterateSync(executor.map(double, [1, 2]))].join());
  await executor.shutdown();`;

programs([
  {
    name: "workers that had started before the import cannot be waited for, and later ones can",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        const executor = new Executor({ maxWorkers: 1 });
        const double = (n: number) => n * 2;
        console.log(await executor.submit(double, 1));
        const { iterateSync, resultSync, waitSync } = await import("@concurrent/futures/sync");
        const future = executor.submit(double, 2);
        for (const attempt of [() => resultSync(future), () => waitSync([future]), () => iterateSync(executor.map(double, [1]))]) {
          try {
            attempt();
          } catch (error) {
            console.log((error as Error).message);
          }
        }
        console.log(await future);
        const another = new Executor({ maxWorkers: 1 });
        console.log(resultSync(another.submit(double, 3)));
        await Promise.all([executor.shutdown(), another.shutdown()]);`,
    },
    prints: new RegExp(
      "^2\n" +
        ["wait for a result", "wait for futures", "iterate over results"].map((action) =>
          `Cannot ${action} as its workers were started before "@concurrent/futures/sync" was imported, which has to be ` +
          "imported first\n"
        ).join("") + "4\n6\n$",
    ),
  },
  {
    name: "a program that could block and does not loses nothing that a worker says as it ends",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        import "@concurrent/futures/sync";
        const exit = async (code: number) => (await import("node:process")).default.exit(code);
        const seen: string[] = [];
        for (let round = 0; round < 10; round++) {
          const ended = new Executor({ maxWorkers: 2, finalizer: () => {} });
          await ended.warmUp();
          await ended.shutdown();
          const lost = new Executor({ maxWorkers: 1 });
          const futures = [lost.submit((n: number) => [n], round), lost.submit(exit, 3)];
          const [first, last] = await Promise.allSettled(futures);
          seen.push(first!.status, last!.status);
          await lost.shutdown();
        }
        console.log([...new Set(seen)].join());`,
    },
    prints: "fulfilled,rejected\n",
  },
  {
    name: "a thread of node:worker_threads that the program has started blocks by itself",
    files: {
      "inner.ts": `import { parentPort } from "node:worker_threads";` +
        INNER.replace("SEND", "parentPort!.postMessage"),
      "main.ts": `
        import { Worker } from "node:worker_threads";
        const worker = new Worker(new URL("./inner.ts", import.meta.url));
        worker.on("error", (error) => console.log(error));
        console.log(await new Promise((resolve) => worker.once("message", resolve)));
        await worker.terminate();`,
    },
    prints: "42,2,4",
  },
  {
    name: "a Web Worker that the program has started blocks by itself, and so does the program",
    on: ["deno", "bun"],
    files: {
      "inner.ts": INNER.replace("SEND", "(globalThis as any).postMessage"),
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        import { resultSync } from "@concurrent/futures/sync";
        const worker = new Worker(new URL("./inner.ts", import.meta.url), { type: "module" });
        const answer = new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
        const executor = new Executor({ maxWorkers: 1 });
        console.log(resultSync(executor.submit(() => "both")));
        console.log(await answer);
        worker.terminate();
        await executor.shutdown();`,
    },
    prints: "both\n42,2,4",
  },
  {
    name: "what was awaited runs afterwards, in its order, and timers fire",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        import { resultSync, waitSync } from "@concurrent/futures/sync";
        await using executor = new Executor({ maxWorkers: 1 });
        const futures = [1, 2, 3].map((n) => executor.submit((n: number) => n, n));
        const order: string[] = [];
        const reactions = futures.map((future) => future.then((n) => order.push(\`then \${n}\`)));
        const timer = new Promise<void>((resolve) => setTimeout(() => resolve(void order.push("timer")), 0));
        futures[1]!.addDoneCallback(() => order.push(\`callback \${resultSync(executor.submit(() => "nested"))}\`));
        queueMicrotask(() => order.push("microtask"));
        waitSync(futures);
        order.push("waited");
        await Promise.all([...reactions, timer]);
        console.log(order.join(", "));`,
    },
    prints: "callback nested, waited, microtask, then 1, then 2, then 3, timer",
  },
]);

// Node (24) now and then ends the whole program in place of the thread (nodejs/node#47224), and nearly always when modules come
// from its compile cache (24.21).
const loseByMemory = async () => {
  const folder = makeFolder({
    "main.ts": `
      import { ThreadPoolExecutor } from "@concurrent/futures";
      import { exceptionSync, resultSync } from "@concurrent/futures/sync";
      const executor = new ThreadPoolExecutor({ maxWorkers: 1, memoryLimit: 64 });
      const fill = () => {
        for (const kept: unknown[] = [];;) kept.push(new Array(10_000).fill(0.5));
      };
      console.log(String(exceptionSync(executor.submit(fill))));
      console.log(resultSync(executor.submit(() => "alive")));
      await executor.shutdown();`,
  }, "ThreadPoolExecutor");
  try {
    for (let left = 5;; left--) {
      const { stdout, stderr, code } = await runIn(folder, RUN, { env: { NODE_COMPILE_CACHE: undefined } });
      assert(left > 0, stderr);
      if (code !== 0 && /heap out of memory/.test(stderr)) continue;
      assertMatch(stdout, /^WorkerLostError: Worker ThreadPoolExecutor-0_0 ended with exit code 1\nalive\n$/);
      return assertStrictEquals(code, 0, stderr);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (runtime === "node") {
  test("ThreadPoolExecutor: a thread that is out of memory is lost while the program blocks", loseByMemory);
}
