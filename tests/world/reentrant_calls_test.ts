// Programs whose arguments, callbacks and options call the executor from inside or end it, or whose values cannot be
// sent, by the thousand.

import { HEAD, programs } from "./world.ts";

programs([
  {
    name: "5,000 calls that cannot be sent, to one idle worker",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const f = (n: number, _: unknown) => n;
        console.log(await executor.submit(f, 1, 0));
        const futures = Array.from({ length: 5000 }, (_, n) => executor.submit(f, n, () => {}));
        const outcomes = await Promise.allSettled(futures);
        console.log(outcomes.filter((it) => it.status === "rejected" && it.reason.name === "DataCloneError").length);
        console.log(await executor.submit(f, 2, 0), executor.stats().lost);`,
    },
    prints: "1\n5000\n2 0",
  },
  {
    name: "arguments that throw at every access, while a worker is idle and while it is not",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const same = (value: unknown) => value;
        const refuse = () => {
          throw new Error("of a proxy");
        };
        const traps = { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse };
        const revoked = Proxy.revocable({}, {});
        revoked.revoke();
        const bad = [new Proxy({}, traps), revoked.proxy, [revoked.proxy], { get part() { return refuse(); } }];
        for (const value of bad) {
          await executor.submit(same, 1);
          const alone = executor.submit(same, value);
          console.log((await alone.exception()) instanceof Error);
          const among = [executor.submit(same, 1), executor.submit(same, value), executor.submit(same, 2)];
          console.log((await Promise.allSettled(among)).map(({ status }) => status).join());
        }
        console.log(executor.stats().lost);`,
    },
    prints: "true\nfulfilled,rejected,fulfilled\n".repeat(4) + "0",
  },
  {
    name: "a retryOn that kills the workers, and one that shuts down",
    files: {
      "main.ts": HEAD + `
        for (const end of ["killWorkers", "shutdown"] as const) {
          const executor = new Executor({ maxWorkers: 1 });
          const retryOn = () => {
            void executor[end]();
            return true;
          };
          const future = executor.with({ retries: 2, retryOn }).submit(() => {
            throw new RangeError("of the task");
          });
          console.log(String(await future.exception()));
          await executor.shutdown();
        }`,
    },
    prints: "RangeError: of the task\nRangeError: of the task",
  },
  {
    name: "initializer arguments that cannot be sent",
    files: {
      "main.ts": HEAD + `
        const executor = new Executor({ initializer: () => {}, initargs: [() => {}] });
        try {
          for await (const _ of executor.with({ priority: 1 }).map((n: number) => n, [1, 2, 3], { chunksize: 2 }));
        } catch (error) {
          console.log(error.constructor.name.startsWith("Broken"), error.cause.name);
        }
        await executor.shutdown();`,
    },
    prints: "true DataCloneError",
  },
  {
    name: "a buffer that is moved beside a call that cannot be sent",
    files: {
      "main.ts": `import { EXECUTOR as Executor, transfer } from "@concurrent/futures";
        await using executor = new Executor({ maxWorkers: 1 });
        const size = (bytes: Uint8Array, _?: unknown) => bytes.length;
        await executor.submit(size, new Uint8Array(1));
        const bytes = () => new Uint8Array(1000);
        const moved = (bytes: Uint8Array) => transfer(bytes, [bytes.buffer]);
        const futures = [
          executor.submit(size, bytes()),
          executor.submit(size, moved(bytes())),
          executor.submit(size, bytes(), () => {}),
          executor.submit(size, moved(bytes())),
          executor.submit(size, moved(bytes()), () => {}),
          executor.submit(size, moved(bytes())),
        ];
        console.log((await Promise.allSettled(futures)).map((it) => it.status === "fulfilled" ? it.value : it.reason.name).join());`,
    },
    prints: "1000,1000,DataCloneError,1000,DataCloneError,1000",
  },
  {
    name: "a callback that cancels, submits, shuts down and kills, in the middle of an answer",
    files: {
      "main.ts": HEAD + `
        for (const end of ["none", "shutdown", "cancel", "kill"]) {
          const executor = new Executor({ maxWorkers: 2 });
          const f = (n: number) => n;
          for (let n = 0; n < 20; n++) await executor.submit(f, n);
          const futures = Array.from({ length: 300 }, (_, n) => executor.submit(f, n));
          const more: PromiseLike<unknown>[] = [];
          futures[10]!.addDoneCallback(() => {
            for (const future of futures.slice(100)) {
              const running = future.running(), done = future.done();
              if (future.cancel() === (running || done)) console.log("wrong", String(future), running, done);
            }
            if (end === "none") more.push(executor.submit(f, -1));
            if (end === "shutdown") void executor.shutdown();
            if (end === "cancel") void executor.shutdown({ cancelFutures: true });
            if (end === "kill") executor.killWorkers();
          });
          const outcomes = await Promise.allSettled([...futures, ...more]);
          const values = outcomes.slice(0, 300).map((it, n) => it.status === "rejected" || it.value === n);
          await executor.shutdown();
          console.log(values.every(Boolean), await more[0]);
        }`,
    },
    prints: "true -1\ntrue undefined\ntrue undefined\ntrue undefined",
  },
  {
    name: "a map() whose items share an object, in chunks, one of which is slow",
    files: {
      "main.ts": HEAD + `
        await using executor = new Executor({ maxWorkers: 1 });
        const shared = { n: 1 };
        const items = [[shared, 0], [shared, 3000], [shared, 0]] as const;
        const task = async ([{ n }, ms]: readonly [{ n: number }, number]) => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          return n;
        };
        await executor.submit((n: number) => n, 1);
        const results = executor.map(task, items, { chunksize: 3 });
        const start = performance.now();
        await results.next();
        console.log(performance.now() - start < 2500);
        await results.return();`,
    },
    prints: "true",
  },
]);
