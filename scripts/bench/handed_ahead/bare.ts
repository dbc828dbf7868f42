// The runtime's own workers, each of which is sent the next call when it has answered the one before: one message there and one
// back for each call, and nothing around them.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Kind } from "../contender.ts";

/** Some bare workers. */
export interface Bare {
  /** Runs calls that block so many milliseconds each, in this order. */
  run(costs: readonly number[]): Promise<void>;
  close(): void;
}

interface Line {
  send(cost: number): void;
  close(): void;
}

/** Opens bare workers. */
export function openBare(kind: Kind, workers: number): Bare {
  let next = 0, left = 0, queue: readonly number[] = [], finish = () => {};
  const give = (line: Line) => {
    if (next < queue.length) line.send(queue[next++]!);
  };
  const start = kind === "threads" ? startThread : startProcess;
  const lines = Array.from({ length: workers }, () => {
    const line: Line = start(() => {
      if (--left === 0) finish();
      give(line);
    });
    return line;
  });
  return {
    run: (costs) =>
      new Promise((resolve) => {
        queue = costs;
        next = 0;
        left = costs.length;
        finish = resolve;
        for (const line of lines) give(line);
      }),
    close() {
      for (const line of lines) line.close();
    },
  };
}

const WORKER = new URL("./bare_worker.ts", import.meta.url);

function startThread(onAnswer: () => void): Line {
  const worker = new Worker(WORKER);
  worker.on("message", onAnswer);
  return { send: (cost) => worker.postMessage(cost), close: () => void worker.terminate() };
}

function startProcess(onAnswer: () => void): Line {
  const child = fork(fileURLToPath(WORKER), { serialization: "advanced" });
  child.on("message", onAnswer);
  return { send: (cost) => void child.send(cost), close: () => child.disconnect() };
}
