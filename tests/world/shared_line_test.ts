// A worker's line is not this library's alone. Tasks, their imports and the runtimes also send and listen on it.

import { fail } from "@std/assert";
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runtime } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { EXECUTORS, makeFolder, programs } from "./world.ts";

/** A module that was made to be the worker of something else, and uses the line as such. */
const CHATTY = `
  import process from "node:process";
  import { parentPort } from "node:worker_threads";
  import { task } from "@concurrent/futures";

  export const heard: unknown[] = [];
  const hear = (message: unknown) => heard.push(message);
  const scope = globalThis as any;
  scope.onmessage = ({ data }: MessageEvent) => hear(data);
  parentPort?.on("message", hear);
  const say = (message: unknown) => {
    parentPort?.postMessage(message);
    if (scope.WorkerGlobalScope && !parentPort) scope.postMessage(message);
    if (parentPort || scope.WorkerGlobalScope) return; // in a thread, there is no other line
    process.send?.(message as object);
  };
  // Bun (1.4) counts to its length before it leaves.
  const sparse: unknown[] = [];
  if (!("Bun" in globalThis)) sparse.length = 2 ** 32 - 1;
  const FOREIGN = [
    "ready", "", 0, true, {}, [], [1], [0, 1, 2], { kind: "ready" }, { kind: "bye", exitCode: 7 }, { kind: "stop" },
    { cmd: "NODE_HANDLE_ACK" }, { cmd: "NODE_HANDLE_NACK" }, { cmd: "NODE_CLUSTER" }, { "watch:import": [1] },
    { "watch:require": null }, { kind: { toString: 1 } }, sparse,
  ];
  FOREIGN.forEach(say);
  export const chat = task(import.meta.url, function chat(n: number): number {
    FOREIGN.forEach(say);
    return n * 2;
  });
  export const count = task(import.meta.url, function count(): number {
    return heard.length;
  });`;

programs([
  {
    name: "messages that tasks and their imports send on the worker's line do no harm",
    files: {
      "chatty.ts": CHATTY,
      "main.ts": `
        import { EXECUTOR as Executor, taskModule } from "@concurrent/futures";
        const { chat, count } = taskModule<typeof import("./chatty.ts")>(new URL("./chatty.ts", import.meta.url));
        const executor = new Executor({ maxWorkers: 2 });
        const results: number[] = [];
        for (let n = 0; n < 3; n++) results.push(await executor.submit(chat, n));
        for await (const result of executor.map(chat, [3, 4, 5, 6])) results.push(result);
        console.log(results.join(" "), executor.stats().lost);
        // Threads of Deno and Bun keep what is ours from listeners of tasks; others cannot.
        const heard = await executor.submit(count);
        console.log("EXECUTOR" === "ProcessPoolExecutor" || !("Deno" in globalThis || "Bun" in globalThis) || heard === 0);
        await executor.shutdown();`,
    },
    prints: "0 2 4 6 8 10 12 0\ntrue",
  },
]);

/** Does `what` to the line of its worker, and never returns. */
const CLOSING = `
  import { closeSync, writeSync } from "node:fs";
  import process from "node:process";
  import { parentPort } from "node:worker_threads";
  import { task } from "@concurrent/futures";

  /** Node's and Bun's, the first that is free after the three of every process. */
  const FD = 3;
  const WAYS: Record<string, () => void> = {
    "closes the descriptor": () => closeSync(FD),
    "disconnects": () => process.disconnect(),
    "closes the port": () => parentPort!.close(),
    "closes the port, and goes on for ever": () => {
      parentPort!.close();
      setInterval(() => {}, 10);
    },
    "sends zeros": () => void writeSync(FD, new Uint8Array(64)),
    "sends text": () => void writeSync(FD, "rubbish\\n".repeat(9)),
    "sends the beginning of a text": () => void writeSync(FD, "rubbish"),
    "sends a byte": () => void writeSync(FD, "x"),
    "sends what V8 does not know": () => void writeSync(FD, new Uint8Array([0, 0, 0, 4, 0xFF, 15, 1, 1])),
  };
  export const harm = task(import.meta.url, function harm(way: string): Promise<never> {
    WAYS[way]!();
    return new Promise(() => {});
  });
  export const harmInLoop = task(import.meta.url, function harmInLoop(way: string): void {
    WAYS[way]!();
    for (;;);
  });`;

/** What those who have the descriptor can do. Deno (2.9) lets no task have it. */
const WITH_DESCRIPTOR: readonly string[] = runtime === "deno" ? [] : [
  "closes the descriptor",
  "sends zeros",
  "sends text",
  "sends the beginning of a text",
  "sends what V8 does not know",
];

/** What shows only when the worker sends its next message. */
const LATER = runtime === "node" ? ["sends a byte"] : [];

const LINE_ENDS = {
  ProcessPoolExecutor: [...WITH_DESCRIPTOR, "disconnects"],
  ThreadPoolExecutor: runtime === "node" ? ["closes the port", "closes the port, and goes on for ever"] : [],
};

for (const executor of EXECUTORS) {
  if (LINE_ENDS[executor].length === 0) continue;
  programs([
    {
      name: "a worker whose line a task has spoilt is lost, the others go on, and the program ends",
      executors: [executor],
      files: {
        "harm.ts": CLOSING,
        "main.ts": `
          import { EXECUTOR as Executor, WorkerLostError } from "@concurrent/futures";
          import { harm, harmInLoop } from "./harm.ts";
          const executor = new Executor({ maxWorkers: 2 });
          const ways = ${JSON.stringify(LINE_ENDS[executor])};
          let lost = 0;
          for (const way of ways) {
            // A thread ends in its own time, and so does what disconnects in order.
            for (const task of "EXECUTOR" === "ThreadPoolExecutor" || way === "disconnects" ? [harm] : [harm, harmInLoop]) {
              const error = await executor.submit(task, way).exception();
              if (!(error instanceof WorkerLostError)) console.log(way, error);
              if (await executor.submit((n: number) => n, 1) !== 1) console.log(way, "and nothing after it");
              lost++;
            }
          }
          console.log(executor.stats().lost === lost);
          await executor.shutdown();`,
      },
      prints: "true",
    },
  ]);
}

if (LATER.length > 0) {
  programs([
    {
      name: "a byte that is not of a message spoils the line when the next message comes",
      executors: ["ProcessPoolExecutor"],
      files: {
        "harm.ts": CLOSING.replace("return new Promise(() => {});", "return Promise.resolve() as never;"),
        "main.ts": `
          import { EXECUTOR as Executor } from "@concurrent/futures";
          import { harm } from "./harm.ts";
          await using executor = new Executor({ maxWorkers: 1 });
          for (const way of ${JSON.stringify(LATER)}) {
            console.log(String(await executor.submit(harm, way).exception()));
            console.log(await executor.submit(() => 1));
          }`,
      },
      prints:
        /^WorkerLostError: Worker ProcessPoolExecutor-0_0 was ended by signal SIGKILL: It sent bytes that are no message\n1$/m,
    },
  ]);
}

programs([
  {
    name: "what a task sends on the channel in Node's own name harms nobody",
    executors: ["ProcessPoolExecutor"],
    files: {
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        await using executor = new Executor({ maxWorkers: 1 });
        const send = async (message: unknown, withHandle: boolean) => {
          const { default: process } = await import("node:process");
          const { createServer } = await import("node:net");
          if (!withHandle) {
            process.send!(message as object);
            return 1;
          }
          const server = createServer();
          await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
          process.send!(message as object, server as never);
          server.close();
          return 1;
        };
        let results = 0;
        for (const cmd of ["NODE_HANDLE_ACK", "NODE_HANDLE_NACK", "NODE_HANDLE", "NODE_OTHER"]) {
          for (const withHandle of [false, true]) {
            results += await executor.submit(send, { cmd, type: "net.Other", msg: { cmd, type: "other" } }, withHandle);
            results += await executor.submit(send, "after it", withHandle);
          }
        }
        console.log(results, executor.stats().lost);`,
    },
    prints: "16 0",
  },
]);

programs([
  {
    name: "a worker may end by an error of any kind, and only its call fails",
    files: {
      "main.ts": `
        import { EXECUTOR as Executor, WorkerLostError } from "@concurrent/futures";
        const executor = new Executor({ maxWorkers: 1 });
        const fall = (kind: number) => {
          const errors: unknown[] = [
            { toString: 1, valueOf: 1 }, Object.create(null), undefined, null, 0, "", [], [[[1]]], { message: {} },
            Object.assign(new Error("x"), { message: { toString: 1 } }), Object.assign(new Error("x"), { name: 1, stack: 2 }),
          ];
          setTimeout(() => {
            throw errors[kind];
          });
          return new Promise(() => {});
        };
        for (let kind = 0; kind < 11; kind++) {
          const error = await executor.submit(fall, kind).exception();
          if (!(error instanceof WorkerLostError)) console.log(kind, error);
          if (await executor.submit(() => 1) !== 1) console.log(kind, "and nothing after it");
        }
        await executor.shutdown();
        console.log(executor.stats().lost);`,
    },
    prints: "11",
    complains: /^/, // processes print why they end
  },
]);

/** How a program is run again when a file of it changes. */
const WATCHERS: Readonly<Record<typeof runtime, readonly (readonly string[])[]>> = {
  node: [["--watch", "main.ts"], ["--watch-path=.", "main.ts"]],
  deno: [["run", "-A", "--no-check", "--watch", "main.ts"]],
  bun: [["--watch", "main.ts"], ["--hot", "main.ts"]],
};

const DIRECTLY = `import { times } from "./tasks.ts";`;

/** How the program has its tasks. Node's watcher is told what workers load; Deno (2.9) and Bun (1.4) know the program's own modules. */
const IMPORT: Readonly<Record<typeof runtime, string>> = {
  node: `const { times } = taskModule<typeof import("./tasks.ts")>(new URL("./tasks.ts", import.meta.url));`,
  deno: DIRECTLY,
  bun: DIRECTLY,
};

for (const executor of EXECUTORS) {
  for (const args of WATCHERS[runtime]) {
    test(`${executor}: ${runtime} ${args.join(" ")} runs a program, and again when a module of tasks changes`, async () => {
      const tasks = (factor: number) => `
        import { task } from "@concurrent/futures";
        export const times = task(import.meta.url, function times(n: number): number {
          return n * ${factor};
        });`;
      const folder = makeFolder({
        "tasks.ts": tasks(2),
        "main.ts": `
          import { EXECUTOR as Executor, taskModule } from "@concurrent/futures";
          ${IMPORT[runtime]}
          const executor = new Executor({ maxWorkers: 1 });
          const result = await executor.submit(times, 21);
          await executor.shutdown();
          console.log("result", result, executor.stats().lost);`,
      }, executor);
      const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...env } = process.env;
      const child = spawn(process.execPath, args, {
        cwd: folder,
        env: { ...env, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"],
        detached: process.platform !== "win32",
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => output += text);
      }
      const ended = new Promise((resolve) => child.once("close", resolve));
      try {
        await until("it has run", () => /result 42 0/.test(output));
        writeFileSync(join(folder, "tasks.ts"), tasks(3));
        await until("it has run again", () => /result 63 0/.test(output));
      } catch (error) {
        fail(`${error}\n${output}`);
      } finally {
        process.kill(process.platform === "win32" ? child.pid! : -child.pid!, "SIGKILL");
        await ended;
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}
