// Each call of a backend to its runtime fails, from the first time on or later. Whichever it is, the backend throws
// nothing, every Future settles, and shutdown() resolves.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import { test } from "node:test";
import { Worker as NodeWorker } from "node:worker_threads";
import type { Backend } from "../../src/pool/backend.ts";
import { Executor } from "../../src/executor/executor.ts";
import type { ExecutorStats } from "../../src/executor/stats.ts";
import type { ExecutorOptions } from "../../src/pool/options.ts";
import { Scheduler } from "../../src/pool/scheduler.ts";
import { processBackend } from "../../src/process/process_backend.ts";
import { startProcess } from "../../src/process/start.ts";
import { runtime } from "../support/runtime.ts";
import { startThread as startNodeThread } from "../../src/thread/start.node.ts";
import { startThread as startWebThread } from "../../src/thread/start.web.ts";
import { threadBackend } from "../../src/thread/thread_backend.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { within } from "../support/until.ts";

/** The call that fails, and from which time on. */
interface Fault {
  readonly method: string;
  readonly from: number;
}

// deno-lint-ignore no-explicit-any
type Methods = Record<string | symbol, any>;

/** Makes a method of the runtime's object fail until the returned function is called. */
function sabotage(made: Methods, { method, from }: Fault): () => void {
  let calls = 0;
  for (const name of namesOf(made, method)) {
    const works = made[name];
    made[name] = function (...args: unknown[]) {
      if (++calls >= from) throw new Error(`${method} fails`);
      return works.apply(made, args);
    };
  }
  return () => calls = -Infinity;
}

/** Deno (2.9) keeps `ref` and `unref` of a Worker under symbols without descriptions. */
function namesOf(made: Methods, method: string): (string | symbol)[] {
  if (method === "start") return [];
  if (method !== "ref or unref") return [method];
  if ("ref" in made) return ["ref", "unref"];
  return Object.getOwnPropertySymbols(Object.getPrototypeOf(made)).filter(({ description }) =>
    description === undefined
  );
}

function backendWith(kind: "threads" | "processes", fault: Fault, ends: (() => void)[]): Backend {
  let starts = 0;
  const mayStart = () => {
    if (fault.method === "start" && ++starts >= fault.from) throw new Error("start fails");
  };
  if (kind === "processes") {
    const start = (...args: Parameters<typeof spawn>): ChildProcess => {
      mayStart();
      const child = spawn(...args);
      const mend = sabotage(child as unknown as Methods, fault);
      ends.push(() => {
        mend();
        child.kill("SIGKILL");
        if (child.connected) child.disconnect();
      });
      return child;
    };
    return { ...processBackend, start: (_name, limits, events) => startProcess(start as typeof spawn, limits, events) };
  }
  const { start, Worker } = runtime === "node"
    ? { start: startNodeThread as unknown, Worker: NodeWorker as unknown }
    : { start: startWebThread as unknown, Worker: globalThis.Worker as unknown };
  class FaultyWorker extends (Worker as new (...args: unknown[]) => object) {
    constructor(...args: unknown[]) {
      mayStart();
      super(...args);
      const mend = sabotage(this, fault);
      ends.push(() => {
        mend();
        (this as unknown as Worker).terminate();
      });
    }
  }
  const startThread = start as typeof startNodeThread;
  return {
    ...threadBackend,
    start: (name, limits, events) => startThread(FaultyWorker as never, name, limits, events),
  };
}

class FaultyExecutor extends Executor<ExecutorStats> {
  constructor(backend: Backend, options: ExecutorOptions) {
    super(new Scheduler(backend, options));
  }
}

const METHODS = {
  threads: ["start", "postMessage", "ref or unref", "terminate", runtime === "node" ? "on" : "addEventListener"],
  processes: ["start", "send", "ref or unref", "kill", "disconnect", "on"],
};

for (const kind of ["threads", "processes"] as const) {
  for (const method of METHODS[kind]) {
    for (const from of [1, 2, 3]) {
      test(`Every Future settles and shutdown() resolves when ${method} of ${kind} fails from time ${from} on`, async () => {
        const ends: (() => void)[] = [];
        const options = { maxWorkers: 2, onUnobserved() {} };
        const executor = new FaultyExecutor(backendWith(kind, { method, from }, ends), options);
        try {
          const limited = executor.with({ timeout: 100 });
          const futures = [1, 2, 3, 4].map((n) => executor.submit(square, n));
          futures.push(limited.submit(() => new Promise<number>(() => {}))); // its worker has to be ended
          await within("the calls", Promise.all(futures.map((future) => future.exception())));
          for (const [index, { outcome }] of futures.entries()) {
            if (outcome?.status === "fulfilled") assertStrictEquals(outcome.value, (index + 1) ** 2);
          }
          await within("shutdown()", executor.shutdown());
          assertEquals(executor.stats().workers, 0);
        } finally {
          for (const end of ends) end();
        }
      });
    }
  }
}
