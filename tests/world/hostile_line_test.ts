// Tasks that send messages in the name of their worker. What arrives is data from another program, whatever it claims to
// be.

import { SEAL } from "../../src/wire/seal.ts";
import { programs } from "./world.ts";

/** For a task: sends something on the worker's own line. */
const SAY = `
  const { default: process } = await import("node:process");
  const { parentPort } = await import("node:worker_threads");
  const scope = globalThis as any;
  const say = (message: any) => {
    if (scope.WorkerGlobalScope) scope.postMessage(message);
    else if (parentPort) parentPort.postMessage(message);
    else process.send!(message);
  };`;

/** How long the parent may be blocked, in milliseconds. What used to block it took 20 s and more. */
const LONGEST_GAP = 2500;

programs([
  {
    name: "a forged message costs its worker and nobody else anything, however long it says to be",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        const forge = async (which: number) => {
          ${SAY}
          // Bun (1.4) counts to the length of an array before it leaves.
          const LONGEST = scope.Bun ? 1e6 : 2 ** 32 - 1;
          const sparse = (entries: object = {}) => Object.assign(new Array(LONGEST), entries);
          let pairs: unknown = 1;
          for (let i = 0; i < 27; i++) pairs = [pairs, pairs];
          const failure = (record: object) => ({
            kind: "done",
            first: 0,
            results: [undefined],
            failures: [0, {
              ...{ kind: "error", classes: ["Error"], name: "Error", message: "", stack: undefined, properties: [], nested: [] },
              ...{ errors: undefined, ...record },
            }],
            spent: 1,
            full: false,
          });
          const done = { kind: "done", first: 0, results: [1], failures: undefined, spent: 1, full: false };
          const FORGED: unknown[] = [
            { ...done, results: sparse() },
            { ...done, failures: sparse() },
            { ...done, failures: sparse({ 0: 0, 1: 1 }) },
            { ...done, first: pairs },
            { ...done, spent: { toString: 1, valueOf: 1 } },
            failure({ classes: sparse() }),
            failure({ classes: pairs }),
            failure({ classes: [pairs] }),
            failure({ name: pairs }),
            failure({ message: [[[pairs]]] }),
            failure({ stack: pairs }),
            failure({ properties: sparse({ 0: ["x", 1] }) }),
            failure({ properties: [[pairs, 1]] }),
            failure({ nested: sparse() }),
            failure({ nested: [["cause", pairs]] }),
            failure({ errors: sparse() }),
            failure({ errors: sparse({ 0: { kind: "value", value: 1 } }) }),
            { kind: "begun", call: pairs },
            { kind: "reports", call: 0, values: sparse() },
            { kind: "reports", call: pairs, values: [1] },
            { kind: "reports", call: 0, values: [pairs] },
            { kind: "recalled", first: sparse() },
            { kind: "bye", exitCode: { toString: 1 } },
            { kind: "bye", exitCode: pairs, unbegun: 0, uncaught: true },
            { kind: { toString: 1, valueOf: 1 } },
            sparse(),
            pairs,
          ];
          if (which < 0) return FORGED.length + 1;
          if (which < FORGED.length) say([FORGED[which], ${SEAL}]);
          else say(sparse({ [LONGEST - 1]: ${SEAL} }));
          return new Promise<never>(() => {});
        };
        const executor = new Executor({ maxWorkers: 1 });
        let last = performance.now(), longest = 0;
        const ticks = setInterval(() => {
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
        }, 10);
        const count = await executor.submit(forge, -1);
        const endings = new Map<string, number[]>();
        for (let which = 0; which < count; which++) {
          const error = await executor.submit(forge, which).exception() as Error;
          endings.set(error.name, [...endings.get(error.name) ?? [], which]);
        }
        console.log(endings.get("WorkerLostError")?.length === count || endings);
        console.log(await executor.submit(() => "alive"), executor.stats().lost === count);
        console.log(longest < ${LONGEST_GAP} || \`held up for \${longest} ms\`);
        clearInterval(ticks);
        await executor.shutdown();`,
    },
    prints: "true\nalive true\ntrue",
    complains: /sent a malformed message/,
  },
  {
    name: "a time limit holds in a worker that cannot say any more that it begins a call",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        const executor = new Executor({ maxWorkers: 1 });
        const silence = async () => {
          ${SAY}
          void say;
          // The answer to this call arrives, nothing after it does.
          const once = (send: any) => {
            let heard = false;
            return function (this: unknown, ...args: unknown[]) {
              if (heard) return true;
              heard = true;
              return Reflect.apply(send, this, args);
            };
          };
          for (const owner of [scope, parentPort, process] as any[]) {
            for (const name of ["postMessage", "send", "_send"]) {
              if (owner?.[name]) Reflect.set(owner, name, once(owner[name])); // Bun (1.4) keeps one from some
            }
          }
          // By which all that is posted is.
          const { call } = Function.prototype;
          const post = once(call);
          Function.prototype.call = function (this: any, ...args: any[]) {
            return Reflect.apply(this.name === "postMessage" ? post : call, this, args);
          };
          return "silent";
        };
        console.log(await executor.submit(silence));
        const endless = () => new Promise<never>(() => {});
        const error = await executor.with({ timeout: 200 }).submit(endless).exception() as Error;
        console.log(error.name);
        console.log(await executor.submit(() => "alive"));
        await executor.shutdown();`,
    },
    prints: "silent\nTaskTimeoutError\nalive",
  },
]);
