// map() over inputs of real programs: slow streams, crawlers, and inputs that end the iteration.

import { programs } from "./world.ts";

const IMPORT = `import { EXECUTOR as Executor, ShutdownError } from "@concurrent/futures";`;

programs([
  {
    name: "map() gives the results of what an async input has given, while it waits",
    files: {
      "main.ts": `
        ${IMPORT}
        await using executor = new Executor({ maxWorkers: 2 });
        let go = () => {};
        const gone = new Promise<void>((resolve) => go = resolve);
        async function* input() {
          yield 1;
          yield 2;
          await gone; // for as long as the first results are not there
          yield 3;
        }
        for await (const result of executor.map((n: number) => n * 2, input())) {
          console.log(result);
          if (result === 4) go();
        }`,
    },
    prints: "2\n4\n6",
  },
  ...[{}, { ordered: false }, { chunksize: 10 }, { buffersize: 2 }, { chunksize: 3, buffersize: 1 }].map((options) => ({
    name: `a crawler, whose input waits for earlier results, works with ${JSON.stringify(options)}`,
    files: {
      "main.ts": `
        ${IMPORT}
        const links = (page: number) => ({ page, links: [page * 2, page * 2 + 1].filter((next) => next < 30) });
        const queue = [1];
        let under = 1, wake = () => {};
        async function* pages() {
          while (under > 0) {
            if (queue.length > 0) yield queue.shift()!;
            else await new Promise<void>((resolve) => wake = resolve);
          }
        }
        await using executor = new Executor({ maxWorkers: 2 });
        const seen: number[] = [];
        for await (const { page, links: next } of executor.map(links, pages(), ${JSON.stringify(options)})) {
          seen.push(page);
          queue.push(...next);
          under += next.length - 1;
          wake();
        }
        console.log(seen.sort((a, b) => a - b).join(" "));`,
    },
    prints: Array.from({ length: 29 }, (_, n) => n + 1).join(" "),
  })),
  {
    name: "an endless async input that never waits lets the results come, and timers fire",
    files: {
      "main.ts": `
        ${IMPORT}
        async function* naturals() {
          for (let n = 0;; n++) yield n;
        }
        await using executor = new Executor({ maxWorkers: 2 });
        for await (const square of executor.map((n: number) => n * n, naturals())) {
          if (square > 20) break;
          console.log(square);
        }
        try {
          for await (const _ of executor.map((n: number) => n, naturals(), { signal: AbortSignal.timeout(20) }));
        } catch (error) {
          console.log((error as Error).name);
        }`,
    },
    prints: "0\n1\n4\n9\n16\nTimeoutError",
  },
  {
    name: "an iteration that its sync input ends while it is read is over, and the input closed once",
    files: {
      "main.ts": `
        ${IMPORT}
        const double = (n: number) => n * 2;
        const endings = ["abort", "return", "shutdown", "cancel", "kill"];
        for (const ending of endings) {
          for (const options of [{}, { chunksize: 3 }, { buffersize: 4 }, { ordered: false, settled: true }]) {
            const executor = new Executor({ maxWorkers: 1, onUnobserved() {} });
            const controller = new AbortController();
            let results: any, opened = false, read = 0, closed = 0;
            // Endless, and it counts.
            const input = {
              [Symbol.iterator]: () => input,
              next() {
                if (++read === 3 && ending === "abort") controller.abort(new Error("enough"));
                if (read >= 3 && ending === "return") void results?.return();
                if (read === 3 && ending === "shutdown") void executor.shutdown();
                if (read === 3 && ending === "cancel") void executor.shutdown({ cancelFutures: true });
                if (read === 3 && ending === "kill") executor.killWorkers();
                return { done: false, value: read };
              },
              return() {
                closed++;
                return { done: true, value: undefined };
              },
            };
            let error: any;
            try {
              const bounded = ending === "return" ? { buffersize: 2, ...options } : options;
              results = executor.map(double, input, { ...bounded, signal: controller.signal });
              for await (const _ of results);
            } catch (thrown) {
              error = thrown;
            }
            if (closed !== 1) console.log(ending, options, "closed", closed, "times");
            if (read > 20) console.log(ending, options, "read", read);
            const expected = ({ abort: ["Error"], return: [undefined] } as any)[ending] ??
              ["ShutdownError", "CancelledError", "WorkerLostError"];
            if (!expected.includes(error?.name)) console.log(ending, options, error);
            await executor.shutdown();
          }
        }
        console.log("done");`,
    },
    prints: "done",
  },
  {
    name: "map() with a signal that has aborted, or wrong arguments, leaves its inputs alone",
    files: {
      "main.ts": `
        ${IMPORT}
        await using executor = new Executor({ maxWorkers: 1 });
        const identity = (n: number) => n;
        const stream = new ReadableStream<number>({ start: (controller) => controller.enqueue(5) });
        let closed = 0;
        const input = {
          [Symbol.iterator]: () => input,
          next: () => ({ done: false as const, value: 1 }),
          return: () => (closed++, { done: true as const, value: undefined }),
        };
        const broken = { [Symbol.iterator]() { throw new Error("no iterator"); } };
        for (const args of [
          [stream, { signal: AbortSignal.abort() }],
          [input, stream, { chunksize: 0 }],
          [input, broken],
        ]) {
          try {
            (executor as any).map(identity, ...args);
          } catch (error) {
            console.log((error as Error).name, stream.locked, closed);
          }
        }
        for await (const n of executor.map(identity, stream)) {
          console.log(n);
          break;
        }`,
    },
    prints: "AbortError false 0\nRangeError false 0\nError false 1\n5",
  },
  {
    name: "map() reads an async input one item at a time, with maxQueue and items that cannot be sent",
    files: {
      "main.ts": `
        ${IMPORT}
        await using executor = new Executor({ maxWorkers: 2, maxQueue: 3 });
        let reading = 0, most = 0, n = 0;
        const input = {
          [Symbol.asyncIterator]: () => input,
          async next() {
            most = Math.max(most, ++reading);
            await null;
            reading--;
            return n++ < 30 ? { done: false as const, value: n % 2 ? n : () => n } : { done: true as const, value: undefined };
          },
        };
        const outcomes: string[] = [];
        for await (const { status } of executor.map(() => 1, input as AsyncIterable<never>, { settled: true })) {
          outcomes.push(status);
        }
        console.log(most, outcomes.length, outcomes.filter((status) => status === "fulfilled").length);`,
    },
    prints: "1 30 15",
  },
  ...[{}, { maxQueue: 2 }].map((options) => ({
    name: `map() takes streams, events, lines and the results of another map(), with ${JSON.stringify(options)}`,
    files: {
      "main.ts": `
        ${IMPORT}
        import { EventEmitter, on } from "node:events";
        import { createInterface } from "node:readline";
        import { PassThrough, Readable } from "node:stream";

        await using executor = new Executor({ maxWorkers: 2, ...${JSON.stringify(options)} });
        const increment = (n: number) => n + 1, square = (n: number) => n * n;
        const upper = (text: string) => text.toUpperCase();
        const print = (name: string, ...values: unknown[]) => console.log(name, ...values);

        print("maps", await Array.fromAsync(executor.map(square, executor.map(increment, [1, 2, 3]))).then(String));
        for await (const n of executor.map(square, executor.map(increment, [1, 2, 3, 4], { buffersize: 1 }))) {
          if (n === 9) break;
          print("left", n);
        }

        const pass = new PassThrough({ objectMode: true });
        pass.write(1);
        pass.write(2);
        for await (const n of executor.map(square, pass)) {
          print("stream", n);
          if (n === 4) pass.end(7);
        }

        const emitter = new EventEmitter();
        setTimeout(() => (emitter.emit("event", 1), emitter.emit("event", 2)), 1);
        for await (const n of executor.map(([n]: number[]) => n!, on(emitter, "event") as AsyncIterable<number[]>)) {
          print("event", n);
          if (n === 2) break;
        }
        print("listeners", emitter.listenerCount("event"));

        const lines = createInterface({ input: Readable.from(["one\\ntwo\\n", "three\\n"]) });
        for await (const line of executor.map(upper, lines)) print("line", line);

        const stream = new Blob(["web"]).stream().pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>;
        for await (const text of executor.map(upper, stream)) print("stream", text);`,
    },
    prints: "maps 4,9,16\nleft 4\nstream 1\nstream 4\nstream 49\nevent 1\nevent 2\nlisteners 0\n" +
      "line ONE\nline TWO\nline THREE\nstream WEB",
  })),
]);
