// Unusual values and errors: deep, odd, or with code that runs when they are read. Each arrives or is a DataCloneError of
// its own Future, and the next call, the worker and the program go on.

import { programs } from "./world.ts";

/** What the programs have in common: an executor, and how a call ended. */
const HEAD = `
  import { EXECUTOR as Executor } from "@concurrent/futures";
  const executor = new Executor({ maxWorkers: 1 });
  const same = (value) => value;
  async function told(future) {
    const error = await future.exception();
    const how = error === undefined ? "fine" : error.name;
    return executor.stats().lost === 0 && await executor.submit(same, 1) === 1 ? how : how + ", and harm to others";
  }`;

programs([
  {
    name: "a linked list, there and back",
    files: {
      "main.ts": `${HEAD}
        const list = (links) => {
          let first = null;
          for (let value = links; value > 0; value--) first = { value, next: first };
          return first;
        };
        for (const links of [1000, 3000, 10000, 200000]) {
          const [there, back, error] = [
            executor.submit((node) => { let n = 0; for (; node; node = node.next) n++; return n; }, list(links)),
            executor.submit(list, links),
            executor.submit((source, links) => {
              throw Object.assign(new TypeError("mine"), { list: eval(source)(links) });
            }, String(list), links),
          ];
          const ends = [await told(there), await told(back), await told(error)];
          if (ends[0] === "fine" && await there !== links) ends[0] = "wrong";
          // In between, it is the runtime's stack that says.
          console.log(links, ends.map((end) => links > 1000 && links < 200000 && end === "DataCloneError" ? "fine" : end).join());
        }
        await executor.shutdown();`,
    },
    prints: `1000 fine,fine,TypeError
3000 fine,fine,TypeError
10000 fine,fine,TypeError
200000 DataCloneError,DataCloneError,TypeError`,
  },
  {
    name: "objects with something in them that calls back",
    files: {
      "main.ts": `${HEAD}
        const called = () => { throw new Error("It was called"); };
        let turn = 0;
        const odd = {
          "an array's function": Object.assign([1], { more() {} }),
          "an array's iterator": Object.assign([1], { [Symbol.iterator]: called }),
          "a Map's iterator": Object.defineProperty(new Map([[1, 2]]), Symbol.iterator, { value: called }),
          "a Map's function": Object.defineProperty(new Map([[1, called]]), Symbol.iterator, { value: () => [].values() }),
          "a getter that throws": { get a() { throw new RangeError("mine"); } },
          "a getter that changes its mind": { get a() { return turn++ ? called : 1; } },
          "a getter of shared memory": { get a() { return [turn]; } },
          "an instance with a name": new class Money { amount = 5; get [Symbol.toStringTag]() { return "Money"; } }(),
          "a sparse array": Object.assign([], { 1000000: 1 }),
          "a Proxy that throws": new Proxy({}, { get: called, ownKeys: called, getPrototypeOf: called }),
        };
        const gone = Proxy.revocable([], {});
        gone.revoke();
        odd["a revoked Proxy"] = [gone.proxy];
        odd["a module"] = await import("node:path");
        odd["arguments"] = (function () { return arguments; })(1);
        odd["an error whose message is a symbol"] = Object.defineProperty(new Error(), "message", { value: Symbol() });
        odd["an error whose name throws"] = Object.defineProperty(new Error(), "name", { get: called });
        for (const [name, value] of Object.entries(odd)) console.log(name + ":", await told(executor.submit(same, value)));
        await executor.shutdown();`,
    },
    prints: `an array's function: DataCloneError
an array's iterator: fine
a Map's iterator: fine
a Map's function: DataCloneError
a getter that throws: RangeError
a getter that changes its mind: fine
a getter of shared memory: fine
an instance with a name: fine
a sparse array: fine
a Proxy that throws: DataCloneError
a revoked Proxy: DataCloneError
a module: DataCloneError
arguments: DataCloneError
an error whose message is a symbol: DataCloneError
an error whose name throws: Error`,
  },
  {
    name: "errors that are no plain ones",
    files: {
      "main.ts": `${HEAD}
        const thrower = () => { throw new Error("hands off"); };
        const throwers = [
          () => { throw new AggregateError(Array.from({ length: 150000 }, (_, n) => n), "150,000 members"); },
          () => { throw Object.defineProperty(new ReferenceError(), "message", { value: "read only", writable: false }); },
          () => { throw Object.freeze(new ReferenceError("it is not defined".replace("it", "nothing"))); },
          () => { throw Object.setPrototypeOf(new RangeError("no prototype"), null); },
          () => { throw Object.defineProperty(new RangeError("a name that throws"), "name", { get() { throw 1; } }); },
          () => {
            const { proxy, revoke } = Proxy.revocable({}, {});
            revoke();
            throw new RangeError("a cause that is gone", { cause: proxy });
          },
          () => { throw Object.assign(new RangeError("a function inside"), { retry() {} }); },
          () => { throw new (class extends RangeError { static get name() { throw 1; } })("a class that throws"); },
          () => {
            let error = new RangeError("first");
            for (let n = 0; n < 5000; n++) error = new RangeError("the last of 5,000", { cause: error });
            throw error;
          },
          () => {
            const error = new RangeError("its own cause");
            throw Object.assign(error, { cause: error });
          },
        ];
        for (const thrower of throwers) {
          const error = await executor.submit(thrower).exception();
          console.log(error.constructor.name, error.message);
        }
        console.log(await executor.submit(same, 1), executor.stats().lost);
        await executor.shutdown();`,
    },
    prints: `AggregateError 150,000 members
ReferenceError read only
ReferenceError nothing is not defined
Error no prototype
RangeError a name that throws
RangeError a cause that is gone
RangeError a function inside
RangeError a class that throws
RangeError the last of 5,000
RangeError its own cause
1 0`,
  },
  {
    name: "reasons of an abort that no line carries",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        import { wait } from "./wait.ts";
        const executor = new Executor({ maxWorkers: 1 });
        await executor.submit(() => {}); // the worker is up
        let list = null;
        for (let n = 0; n < 100000; n++) list = { next: list };
        for (const reason of [new SharedArrayBuffer(1), () => {}, Symbol("s"), new Blob([]), list, Math]) {
          const controller = new AbortController();
          const future = executor.with({ signal: controller.signal, grace: 60000 }).submit(wait);
          while (!future.running()) await new Promise((resolve) => setTimeout(resolve));
          controller.abort(reason);
          console.log(await future.then((how) => how, (thrown) => thrown === reason ? "stopped" : String(thrown)));
        }
        console.log(await executor.submit((n: number) => n, 1), executor.stats().lost);
        await executor.shutdown();`,
      "wait.ts": `
        import { task } from "@concurrent/futures";
        import { currentTask } from "@concurrent/futures/worker";
        export const wait = task(import.meta.url, function wait() {
          const { signal } = currentTask();
          return new Promise((resolve) => signal.aborted ? resolve("stopped") : signal.addEventListener("abort", () => resolve("stopped")));
        });`,
    },
    prints: `${"stopped\n".repeat(6)}1 0`,
  },
  {
    name: "a moved buffer beside a value that cannot be cloned",
    files: {
      "main.ts": `${HEAD}
        import { transfer } from "@concurrent/futures";
        const size = (bytes) => bytes.byteLength;
        await Promise.all(Array.from({ length: 50 }, () => executor.submit(size, new ArrayBuffer(1)))); // it is short
        const bytes = [1, 2, 3].map((n) => new ArrayBuffer(n));
        const futures = [
          executor.submit(same, () => {}),
          ...bytes.map((buffer) => executor.submit(size, transfer(buffer, [buffer]))),
          executor.submit(same, Symbol("s")),
        ];
        console.log(await Promise.all(futures.map((future) => future.catch((error) => error.name))));
        const made = await Promise.allSettled([
          executor.submit(() => () => {}),
          executor.submit(async (url) => {
            const { transfer } = await import(url);
            const buffer = new ArrayBuffer(8);
            return transfer(buffer, [buffer]);
          }, import.meta.resolve("@concurrent/futures")),
        ]);
        console.log(made[0].reason.name, made[1].value.byteLength);
        await executor.shutdown();`,
    },
    prints: /\[\s*"?'?DataCloneError"?'?,\s*1,\s*2,\s*3,\s*"?'?DataCloneError"?'?,?\s*\]\s*DataCloneError 8/,
  },
  {
    name: "Futures where they mean nothing",
    files: {
      "main.ts": `${HEAD}
        import { Future } from "@concurrent/futures";
        console.log(await told(executor.submit(same, new Future())), await told(executor.submit(same, { inside: [executor] })));
        const other = new Executor({ maxWorkers: 1, initializer: () => {}, initargs: [new Future()] });
        const error = await other.submit(same, 1).exception();
        console.log(error.name.replace(/Thread|Process/, "..."), error.cause.name);
        await other.shutdown();
        await executor.shutdown();`,
    },
    prints: "DataCloneError DataCloneError\nBroken...Pool DataCloneError",
  },
  {
    name: "texts that a terminal would obey",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        const executor = new Executor({ maxWorkers: 1, name: "50%s %d" });
        await executor.submit(() => { throw new Error("\\x1b[2Jgone\\x07"); }).exception(0).catch(() => {});
        executor.submit(() => { throw new Error("\\x1b[2Jgone\\x07"); });
        await executor.shutdown();`,
    },
    prints: "",
    // deno-lint-ignore no-control-regex -- it must not be there
    complains: /^concurrent\.futures: [^\n\x1b]*50%s %d failed and [^\x1b\x07]*\\x1b\[2Jgone\\x07[^\x1b\x07]*$/,
  },
]);
