// The life and end of workers in ordinary programs: leftovers of tasks, slow initializers, bursts of calls that are
// cancelled.

import { HEAD, programs } from "./world.ts";

/** The source of a task that takes `ms` milliseconds. */
const BUSY = `const f = (ms: number) => {
          const end = performance.now() + ms;
          while (performance.now() < end);
          return ms;
        };`;

/** Leftovers of a task, which fail after it has returned. */
const LEFTOVERS = {
  "a rejection": `Promise.reject(new Error("left behind"));`,
  "a timer that throws": `setTimeout(() => {
              throw new Error("left behind");
            });`,
};

programs([
  ...Object.entries(LEFTOVERS).map(([name, leftover]) => ({
    name: `a call is not lost for what an earlier task has left behind: ${name}`,
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const results = [];
        for (let n = 0; n < 8; n++) {
          await executor.submit(() => {
            ${leftover}
          });
          results.push(await executor.submit((n: number) => n * n, n));
        }
        console.log(results.join());`,
    },
    prints: "0,1,4,9,16,25,36,49",
    complains: /^$|left behind/,
  })),
  {
    name: "a stream that nobody reads on ends with the program, and its finally runs",
    files: {
      "main.ts": HEAD + `
        const executor = new Executor({ maxWorkers: 1 });
        const stream = executor.with({ buffersize: 4 }).stream(function* () {
          try {
            for (let n = 0;; n++) yield n;
          } finally {
            console.log("finally");
          }
        });
        console.log((await stream.next()).value, (await stream.next()).value);`,
    },
    prints: "0 1\nfinally",
  },
  {
    name: "a program that waits for shutdown() alone leaves its streams, and what waits behind them runs",
    files: {
      "main.ts": HEAD + `
        async function main() {
          {
            await using executor = new Executor({ maxWorkers: 1 });
            const stream = executor.stream(function* () {
              for (let n = 0;; n++) yield n;
            });
            console.log((await stream.next()).value);
            executor.submit(() => "behind").then((value) => console.log(value));
          }
          console.log("the end");
        }
        main();`,
    },
    prints: "0\nbehind\nthe end",
  },
  {
    name: "a slow reader gets all of a stream that nothing else keeps alive",
    files: {
      "main.ts": HEAD + `
        const executor = new Executor({ maxWorkers: 1 });
        const one = executor.with({ buffersize: 2 }).stream(function* () {
          for (let n = 0; n < 9; n++) yield n;
        });
        const other = new Executor({ maxWorkers: 1 });
        let sum = 0;
        for await (const n of one) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          sum += await other.submit((n: number) => new Promise<number>((resolve) => setTimeout(() => resolve(n), 10)), n);
        }
        console.log(sum);`,
    },
    prints: "36",
  },
  {
    name: "a burst of short calls behind a task that leaves a rejection gives each its result",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const f = (n: number) => {
          if (n % 50 === 10) Promise.reject(new Error("left behind"));
          return n;
        };
        for (let n = 0; n < 10; n++) await executor.submit(f, 0);
        const futures = Array.from({ length: 200 }, (_, n) => executor.submit(f, n));
        const outcomes = await Promise.allSettled(futures);
        const wrong = outcomes.filter((outcome, n) => outcome.status === "fulfilled" && outcome.value !== n);
        const notBegun = outcomes.filter((outcome) => outcome.status === "rejected" && outcome.reason.started !== true);
        console.log(wrong.length, notBegun.length, outcomes.length);`,
    },
    prints: "0 0 200",
    complains: /^$|left behind/,
  },
  {
    name: "shutdown({ cancelFutures: true }) does not wait for an initializer that hangs",
    files: {
      "main.ts": HEAD + `
        const executor = new Executor({ maxWorkers: 2, initializer: () => new Promise(() => {}) });
        const futures = [1, 2, 3].map((n) => executor.submit((n: number) => n, n));
        await new Promise((resolve) => setTimeout(resolve, 200));
        await executor.shutdown({ cancelFutures: true });
        console.log(futures.every((future) => future.cancelled()), executor.stats().workers);`,
    },
    prints: "true 0",
  },
  {
    name: "a program ends although a worker that nobody waits for hangs in its initializer",
    files: {
      "main.ts": HEAD + `
        import { mkdtempSync, rmSync } from "node:fs";
        import { tmpdir } from "node:os";
        import { join } from "node:path";
        // The first worker removes the folder; the second finds none and hangs.
        const folder = mkdtempSync(join(tmpdir(), "futures-first-"));
        const first = async (folder: string) => {
          const { rmdirSync } = await import("node:fs");
          try {
            rmdirSync(folder);
          } catch {
            await new Promise((resolve) => setInterval(resolve, 2 ** 30));
          }
        };
        const executor = new Executor({ maxWorkers: 2, initializer: first, initargs: [folder] });
        console.log(await Promise.all([1, 2].map((n) => executor.submit((n: number) => n, n))));
        rmSync(folder, { recursive: true, force: true });`,
    },
    prints: /\[\s*1,\s*2\s*\]/,
  },
  {
    name: "shutdown({ cancelFutures: true }) cancels what was handed ahead",
    files: {
      "main.ts": HEAD + `
        const executor = new Executor({ maxWorkers: 2 });
        ${BUSY}
        for (let n = 0; n < 10; n++) await executor.submit(f, 0);
        const futures = Array.from({ length: 1000 }, () => executor.submit(f, 20));
        await futures[0];
        const start = performance.now();
        await executor.shutdown({ cancelFutures: true });
        const done = futures.filter((future) => !future.cancelled()).length;
        console.log(futures.every((future) => future.done()), done < 300, performance.now() - start < 10_000);`,
    },
    prints: "true true true",
  },
  {
    name: "shutdown({ cancelFutures: true }) cancels the rest of a chunk",
    files: {
      "main.ts": HEAD + `
        const executor = new Executor({ maxWorkers: 1 });
        ${BUSY}
        const results = executor.map(f, Array(1000).fill(20), { chunksize: 1000 });
        console.log((await results.next()).value);
        await executor.shutdown({ cancelFutures: true });
        const { completed, cancelled } = executor.stats();
        console.log(completed < 500, completed + cancelled);`,
    },
    prints: "20\ntrue 1000",
  },
  {
    name: "with({ signal }) of one signal, 20,000 times, and 30,000 priorities",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const { signal } = new AbortController();
        const futures = [];
        for (let n = 0; n < 2000; n++) futures.push(executor.with({ signal }).submit((n: number) => n, n));
        for (let n = 0; n < 30_000; n++) futures.push(executor.with({ priority: n }).submit((n: number) => n, n));
        for (let n = 0; n < 18_000; n++) futures.push(executor.with({ signal, priority: n }).submit((n: number) => n, n));
        for (const future of futures.slice(2000 + 30_000)) future.cancel();
        const results = await Promise.all(futures.slice(0, 32_000));
        console.log(results.length, results[31_999]);`,
    },
    prints: "32000 29999",
  },
]);
