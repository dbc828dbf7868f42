// The floor: the runtime's own workers and channels with nothing around them. submit() is one message to the next worker
// in turn, map() the job split by hand into one array per worker.

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Worker as NodeWorker } from "node:worker_threads";
import type { Contender, Kind, Pool, TaskName } from "../contender.ts";
import { here } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads", "processes"];

/** The parent's end of a channel. */
interface Line {
  send(message: unknown, transfer?: Transferable[]): void;
  close(): unknown;
}

type OnMessage = (message: { id: number; result: unknown }) => void;

/** Workers that import the module of ours which marks its tasks: from its source on Deno, from the package elsewhere. */
const OF_MODULE = "Deno" in globalThis ? "bare_task" : "bare_task_npm";

export const open: Contender["open"] = ({ workers, kind, maxTasksPerWorker }) => {
  if (maxTasksPerWorker !== undefined) return Promise.resolve(openEach(workers, kind));
  const waiting = new Map<number, (result: unknown) => void>();
  const onMessage: OnMessage = ({ id, result }) => {
    waiting.get(id)!(result);
    waiting.delete(id);
  };
  let lines: readonly Line[] = [];
  // With the first call, which may need another kind of worker.
  const begin = (name: string) => {
    if (lines.length === 0) lines = Array.from({ length: workers }, () => start(kind, name, onMessage));
  };
  let last = 0;
  const request = (
    message: { task: TaskName | "giveBack"; arg?: unknown; items?: unknown },
    transfer?: Transferable[],
  ) =>
    new Promise<unknown>((resolve) => {
      begin("bare");
      const id = ++last;
      waiting.set(id, resolve);
      lines[id % workers]!.send({ id, ...message }, transfer);
    });
  return Promise.resolve({
    submit: (task, arg) => request({ task, arg }),
    incrementOfModule(n) {
      begin(OF_MODULE);
      return request({ task: "increment", arg: n });
    },
    async map(task, items) {
      begin("bare");
      const size = Math.ceil(items.length / workers);
      const parts = lines.map((_, i) => request({ task, items: items.slice(i * size, (i + 1) * size) }));
      return ((await Promise.all(parts)).at(-1) as unknown[]).at(-1);
    },
    ...(kind === "threads" && {
      move: (bytes: Uint8Array) => request({ task: "giveBack", arg: bytes }, [bytes.buffer as ArrayBuffer]),
    }),
    close: () => Promise.all(lines.map((line) => line.close())),
  });
};

/** A worker for each call, so many at a time. */
function openEach(workers: number, kind: Kind): Pool {
  let running = 0;
  const queue: (() => void)[] = [], closing: unknown[] = [];
  const run = async (message: { task: TaskName; arg: unknown }, name: string) => {
    if (running === workers) await new Promise<void>((resolve) => queue.push(resolve));
    else running++;
    try {
      return await new Promise<unknown>((resolve) => {
        const line = start(kind, name, ({ result }) => {
          resolve(result);
          closing.push(line.close());
        });
        line.send({ id: 1, ...message });
      });
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
  return {
    submit: (task, arg) => run({ task, arg }, "bare"),
    incrementOfModule: (n) => run({ task: "increment", arg: n }, OF_MODULE),
    close: () => Promise.all(closing),
  };
}

function start(kind: Kind, name: string, onMessage: OnMessage): Line {
  if (kind === "processes") return startProcess(name, onMessage);
  return "Deno" in globalThis || "Bun" in globalThis ? startWeb(name, onMessage) : startNode(name, onMessage);
}

function startWeb(name: string, onMessage: OnMessage): Line {
  const worker = new Worker(here(`workers/${name}.web.js`), { type: "module" });
  worker.onmessage = (event) => onMessage(event.data);
  return {
    // No list of what is moved rather than an empty one: Deno is faster without.
    send: (message, transfer) => worker.postMessage(message, transfer!),
    close: () => worker.terminate(),
  };
}

function startNode(name: string, onMessage: OnMessage): Line {
  const worker = new NodeWorker(here(`workers/${name}.node.js`));
  worker.on("message", onMessage);
  return {
    send: (message, transfer = []) => worker.postMessage(message, transfer as never),
    close: () => worker.terminate(),
  };
}

function startProcess(name: string, onMessage: OnMessage): Line {
  const flags = "Deno" in globalThis ? ["run", "--quiet", "--allow-all"] : [];
  const child = spawn(process.execPath, [...flags, fileURLToPath(here(`workers/${name}.process.js`))], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
  child.on("message", (message) => onMessage(message as Parameters<OnMessage>[0]));
  return {
    send: (message) => child.send(message as object),
    close: () => {
      child.disconnect();
      return new Promise((resolve) => child.on("exit", resolve));
    },
  };
}
