// What a program holds: memory and handles, looked at while it has nothing to do.

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { median } from "simple-statistics";
import { workerProcesses } from "../../../tests/support/leaks.ts";

const MIB = 2 ** 20;

/** A look. */
export interface Sample {
  /** MiB of the program, and of its worker processes. */
  readonly rss: number;
  /** MiB in use on the program's own heap. */
  readonly heap: number;
  /** Open files, and threads of the program; only Linux tells. */
  readonly files: number;
  readonly threads: number;
}

/** Looks, after the garbage is gone. */
export function takeSample(): Sample {
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  const workers = workerProcesses().map(rssOf).reduce((sum, rss) => sum + rss, 0);
  return {
    rss: (rss + workers) / MIB,
    heap: heapUsed / MIB,
    files: count("/proc/self/fd"),
    threads: count("/proc/self/task"),
  };
}

/** A quarter of the samples, in the middle of what they say. */
export function quarter(samples: readonly Sample[], which: 1 | 2 | 3 | 4): Sample {
  const part = samples.slice(Math.floor(samples.length * (which - 1) / 4), Math.floor(samples.length * which / 4));
  const middle = (of: keyof Sample) => median(part.map((sample) => sample[of]));
  return { rss: middle("rss"), heap: middle("heap"), files: middle("files"), threads: middle("threads") };
}

function collect(): void {
  const { Bun, gc } = globalThis as { Bun?: { gc(now: boolean): void }; gc?: () => void };
  if (Bun) Bun.gc(true);
  else gc?.();
}

function count(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

/** Bytes. */
function rssOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096;
  } catch {
    return 0;
  }
}
