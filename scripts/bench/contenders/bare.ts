// The floor: the runtime's own workers and channels with nothing around them. submit() is one message to the next worker
// in turn, map() the job split by hand into one array per worker.

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Worker as NodeWorker } from "node:worker_threads";
import type { Contender, Kind, TaskName } from "../contender.ts";
import { here } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads", "processes"];

/** The parent's end of a channel. */
interface Line {
  send(message: unknown, transfer?: Transferable[]): void;
  close(): unknown;
}

type OnMessage = (message: { id: number; result: unknown }) => void;

export const open: Contender["open"] = ({ workers, kind }) => {
  const waiting = new Map<number, (result: unknown) => void>();
  const lines = Array.from({ length: workers }, () =>
    start(kind, ({ id, result }) => {
      waiting.get(id)!(result);
      waiting.delete(id);
    }));
  let last = 0;
  const request = (
    message: { task: TaskName | "giveBack"; arg?: unknown; items?: unknown },
    transfer?: Transferable[],
  ) =>
    new Promise<unknown>((resolve) => {
      const id = ++last;
      waiting.set(id, resolve);
      lines[id % workers]!.send({ id, ...message }, transfer);
    });
  return Promise.resolve({
    submit: (task, arg) => request({ task, arg }),
    async map(task, items) {
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

function start(kind: Kind, onMessage: OnMessage): Line {
  if (kind === "processes") return startProcess(onMessage);
  return "Deno" in globalThis || "Bun" in globalThis ? startWeb(onMessage) : startNode(onMessage);
}

function startWeb(onMessage: OnMessage): Line {
  const worker = new Worker(here("workers/bare.web.js"), { type: "module" });
  worker.onmessage = (event) => onMessage(event.data);
  return {
    // No list of what is moved rather than an empty one: Deno is faster without.
    send: (message, transfer) => worker.postMessage(message, transfer!),
    close: () => worker.terminate(),
  };
}

function startNode(onMessage: OnMessage): Line {
  const worker = new NodeWorker(here("workers/bare.node.js"));
  worker.on("message", onMessage);
  return {
    send: (message, transfer = []) => worker.postMessage(message, transfer as never),
    close: () => worker.terminate(),
  };
}

function startProcess(onMessage: OnMessage): Line {
  const flags = "Deno" in globalThis ? ["run", "--quiet", "--allow-all"] : [];
  const child = spawn(process.execPath, [...flags, fileURLToPath(here("workers/bare.process.js"))], {
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
