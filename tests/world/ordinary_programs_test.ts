// Programs that a reader of README.md would write, each in a way that no other test covers.

import { HEAD, programs } from "./world.ts";

programs([
  {
    name: "a crawler: what a page links to is submitted from its done callback",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 2 });
        const links = (page: number) => [page * 2, page * 2 + 1].filter((link) => link < 64);
        const seen = new Set<number>();
        let open = 0;
        const done = new Promise<void>((resolve) => {
          const visit = (page: number) => {
            if (seen.has(page)) return;
            seen.add(page);
            open++;
            executor.submit(links, page).addDoneCallback((future) => {
              if (future.outcome?.status === "fulfilled") future.outcome.value.forEach(visit);
              if (--open === 0) resolve();
            });
          };
          visit(1);
        });
        await done;
        console.log(seen.size);`,
    },
    prints: "63",
  },
  {
    name: "a hedged request: the first of three wins, the others are aborted",
    files: {
      "main.ts": `import { EXECUTOR as Executor, FIRST_COMPLETED, wait } from "@concurrent/futures";
        await using executor = new Executor({ maxWorkers: 3 });
        const stop = new AbortController();
        const ask = async (ms: number) => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          return ms;
        };
        const futures = [20_000, 30, 20_000].map((ms) => executor.with({ signal: stop.signal, grace: 10 }).submit(ask, ms));
        const { done } = await wait(futures, { returnWhen: FIRST_COMPLETED });
        stop.abort(new Error("too late"));
        for (const future of done) console.log(await future);
        console.log((await Promise.allSettled(futures)).map(({ status }) => status).join());`,
    },
    prints: "30\nrejected,fulfilled,rejected",
  },
  {
    name: "a pipeline: the results of one map() are the input of another",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 2 });
        const squares = executor.map((n: number) => n * n, Array.from({ length: 200 }, (_, n) => n), { buffersize: 10 });
        let sum = 0;
        for await (const n of executor.map((n: number) => n + 1, squares, { buffersize: 10 })) sum += n;
        console.log(sum);`,
    },
    prints: String(Array.from({ length: 200 }, (_, n) => n * n + 1).reduce((a, b) => a + b)),
  },
  {
    name: "a producer and ready(), with a queue of three",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 2, maxQueue: 3 });
        const futures = [];
        for (let n = 0; n < 100; n++) {
          await executor.ready();
          futures.push(executor.submit((n: number) => n, n));
        }
        console.log((await Promise.all(futures)).length);`,
    },
    prints: "100",
  },
  {
    name: "an error class of a module that both sides import",
    files: {
      "errors.ts": `export class OutOfPaper extends Error {
        override name = "OutOfPaper";
        tray = 2;
      }`,
      "tasks.ts": `import { task } from "@concurrent/futures";
        import { OutOfPaper } from "./errors.ts";
        export const print = task(import.meta.url, function print(pages: number): number {
          if (pages > 3) throw new OutOfPaper("no paper", { cause: new RangeError(String(pages)) });
          return pages;
        });`,
      "main.ts": HEAD + `
        import { OutOfPaper } from "./errors.ts";
        import { print } from "./tasks.ts";
        await using executor = new Executor({ errorTypes: [OutOfPaper] });
        try {
          console.log(await executor.submit(print, 3));
          await executor.submit(print, 5);
        } catch (error) {
          if (error instanceof OutOfPaper) console.log(error.tray, error.cause instanceof RangeError, error.message);
        }`,
    },
    prints: "3\n2 true no paper",
  },
  {
    name: "many executors, made and shut down one after another",
    files: {
      "main.ts": HEAD + `
        let sum = 0;
        for (let n = 0; n < 12; n++) {
          await using executor = new Executor({ maxWorkers: 1 });
          sum += await executor.submit((n: number) => n, n);
        }
        console.log(sum);`,
    },
    prints: "66",
  },
  {
    name: "a task that has an executor of its own",
    files: {
      "tasks.ts": `import { task } from "@concurrent/futures";
        import { EXECUTOR as Executor } from "@concurrent/futures";
        export const outer = task(import.meta.url, async function outer(n: number): Promise<number> {
          await using executor = new Executor({ maxWorkers: 1 });
          return await executor.submit((n: number) => n * 2, n) + 1;
        });`,
      "main.ts": HEAD + `
        import { outer } from "./tasks.ts";
        await using executor = new Executor({ maxWorkers: 1 });
        console.log(await executor.submit(outer, 20));`,
    },
    prints: "41",
  },
  {
    name: "a memory of results in the module of a task, and an initializer that fills it",
    files: {
      "cache.ts": `import { task } from "@concurrent/futures";
        const cache = new Map<string, number>();
        export const fill = task(import.meta.url, function fill(entries: [string, number][]): void {
          for (const [key, value] of entries) cache.set(key, value);
        });
        export const look = task(import.meta.url, function look(key: string): number | undefined {
          return cache.get(key);
        });`,
      "main.ts": HEAD + `
        import { fill, look } from "./cache.ts";
        await using executor = new Executor({ maxWorkers: 2, initializer: fill, initargs: [[["a", 1], ["b", 2]]] });
        const found = [];
        for await (const n of executor.map(look, ["a", "b", "c", "a"])) found.push(String(n));
        console.log(found.join());`,
    },
    prints: "1,2,undefined,1",
  },
  {
    name: "a call that is cancelled from another's callback, and one from its own",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const slow = () => new Promise((resolve) => setTimeout(resolve, 50));
        const first = executor.submit(slow);
        const second = executor.submit(slow);
        first.addDoneCallback(() => console.log(second.done() || second.running() !== second.cancel()));
        first.addDoneCallback((future) => console.log(future.cancel(), future.cancelled()));
        await first;
        await second.exception().catch(() => {});
        console.log(second.done());`,
    },
    prints: "true\nfalse false\ntrue",
  },
  {
    name: "a batch that is stopped after some time, with what there is until then",
    files: {
      "main.ts": `import { asCompleted, EXECUTOR as Executor, TimeoutError } from "@concurrent/futures";
        const executor = new Executor({ maxWorkers: 2 });
        const nap = (ms: number) => new Promise<number>((resolve) => setTimeout(resolve, ms, ms));
        const futures = [10, 20, 60_000, 60_000, 60_000].map((ms) => executor.submit(nap, ms));
        const got: number[] = [];
        try {
          for await (const future of asCompleted(futures, { timeout: 2000 })) got.push(await future);
        } catch (error) {
          console.log(error instanceof TimeoutError, got.sort().join());
        }
        executor.killWorkers();
        await executor.shutdown();
        console.log(futures.every((future) => future.done()));`,
    },
    prints: "true 10,20\ntrue",
    complains: /2 calls of .* failed and their errors were never observed; the first:/,
  },
  {
    name: "typed arrays, Maps, Dates and BigInts, there and back",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const same = (value: unknown) => value;
        const values = [new Float64Array([1.5, NaN]), new Map([[{ a: 1 }, new Set([2n])]]), new Date(0), -0, [,1], /x/gi];
        for (const value of values) console.log(await executor.submit(same, value));`,
    },
    prints: /NaN[^]*2n[^]*1970-01-01T00:00:00.000Z[^]*-0[^]*\/x\/gi/,
  },
  {
    name: "an unhandled error ends the program with its code, and the workers go with it",
    files: {
      "main.ts": HEAD + `
        const executor = new Executor({ maxWorkers: 2 });
        executor.submit(() => new Promise((resolve) => setTimeout(resolve, 60_000))).catch(() => {});
        await executor.submit(() => 1);
        console.log("before");
        throw new Error("of the program");`,
    },
    prints: "before",
    complains: /of the program/,
    code: 1,
  },
  {
    name: "a rejection is unhandled exactly where that of a promise would be",
    files: {
      "main.ts": HEAD + `
        import process from "node:process";
        const unhandled: string[] = [];
        process.on("unhandledRejection", (error) => unhandled.push((error as Error).message));
        await using executor = new Executor({ maxWorkers: 1 });
        const fail = (message: string) => {
          throw new Error(message);
        };
        const nothing = () => {};
        for (const when of ["before", "after"]) {
          const given = async (name: string) => {
            const future = executor.submit(fail, when + " " + name);
            if (when === "after") await future.exception();
            return { future };
          };
          void (await given("nobody asks")).future;
          (await given("then, two handlers")).future.then(nothing, nothing);
          (await given("then, one handler")).future.then(nothing);
          (await given("then, none")).future.then();
          (await given("finally")).future.finally(nothing);
          (await given("result()")).future.result();
          (await given("exception()")).future.exception();
          (await given("a handler that throws")).future.then(undefined, () => fail(when + " thrown"));
          (await given("catch")).future.then(nothing).catch(nothing);
          Promise.all([(await given("Promise.all()")).future]);
          Promise.allSettled([(await given("Promise.allSettled()")).future]);
        }
        await executor.submit(nothing);
        await new Promise((resolve) => setTimeout(resolve, 1));
        console.log(unhandled.sort().join("\\n"));`,
    },
    prints: ["after", "before"].flatMap((when) =>
      ["Promise.all()", "finally", "result()", "then, none", "then, one handler", "thrown"].map((name) =>
        `${when} ${name}`
      )
    ).join("\n"),
    complains: /2 calls of .* failed and their errors were never observed|1 call of .* failed and its error/,
  },
  {
    name: "retries of a task that fails now and then",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 2 });
        const flaky = async (url: string, n: number) => {
          const { currentTask } = await import(url);
          if (currentTask().attempt < 3) throw new Error("not yet");
          return n;
        };
        const steady = executor.with({ retries: 5, retryOn: (error) => /not yet/.test(String(error)) });
        const url = import.meta.resolve("@concurrent/futures/worker");
        console.log((await Promise.all([1, 2, 3].map((n) => steady.submit(flaky, url, n)))).join());`,
    },
    prints: "1,2,3",
  },
  {
    name: "a server: a hundred requests at once, some of which go away",
    files: {
      "main.ts": HEAD + `
        import { createServer, request } from "node:http";
        await using executor = new Executor({ maxWorkers: 2 });
        const hash = async (text: string) => {
          const { createHash } = await import("node:crypto");
          return createHash("sha256").update(text).digest("hex");
        };
        const server = createServer(async (request, response) => {
          const gone = new AbortController();
          response.on("close", () => gone.abort());
          response.end(await executor.with({ signal: gone.signal }).submit(hash, request.url!).catch(() => "gone"));
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as { port: number };
        const get = (n: number) => new Promise<string>((resolve) => {
          const sent = request({ port, host: "127.0.0.1", path: "/" + n, agent: false }, (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (part) => text += part).on("end", () => resolve(text));
          });
          sent.on("error", () => resolve("error"));
          sent.end();
          if (n % 10 === 9) sent.destroy();
        });
        const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => get(n)));
        console.log(answers.filter((text) => text.length === 64).length);
        server.close();`,
    },
    prints: "90",
  },
  {
    name: "text of a file, line by line, through map() with a chunk size",
    files: {
      "main.ts": HEAD + `
        import { createReadStream, readFileSync } from "node:fs";
        import { createInterface } from "node:readline";
        await using executor = new Executor({ maxWorkers: 2 });
        const lines = createInterface({ input: createReadStream(new URL("./text.txt", import.meta.url)) });
        let words = 0;
        for await (const n of executor.map((line: string) => line.split(" ").length, lines, { chunksize: 7 })) words += n;
        console.log(words);`,
      "text.txt": "a b c\n".repeat(100),
    },
    prints: "300",
  },
]);
