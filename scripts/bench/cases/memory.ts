// (h) Memory: of the parent's heap for each call that waits, and of the machine for each worker that has run one.

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Case, type Figures, withPool } from "../case.ts";

const MANY_WORKERS = 4;

export const memoryCase: Case = {
  name: "memory",
  title: "Memory",
  unit: "KiB",
  by: "for each",
  chart: "bars",
  runs: 2,
  peerRuns: 1,
  async measure(entry) {
    const figures: Figures = {};
    const collect = collector();
    const heapUsed = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    await withPool(entry, 1, async (pool) => {
      await pool.submit("increment", 1);
      const count = entry.quick ? 10_000 : 100_000;
      const calls: PromiseLike<unknown>[] = new Array(count).fill(undefined);
      const before = heapUsed();
      for (let i = 0; i < count; i++) calls[i] = pool.submit("increment", i);
      // Nothing has left yet that was not sent at once: this is still the turn in which all were submitted.
      figures["queued call"] = (heapUsed() - before) / count / 1024;
      await Promise.all(calls);
    });
    if (process.platform === "linux") {
      const before = residentKib();
      await withPool(entry, MANY_WORKERS, async (pool) => {
        await Promise.all(Array.from({ length: MANY_WORKERS * 50 }, () => pool.submit("work", 500_000)));
        figures["worker"] = (residentKib() - before) / MANY_WORKERS;
      });
    }
    return figures;
  },
};

/**
 * The garbage collector. It is exposed here alone: worker processes get the program's own flags, as those of fork() do, and
 * with --expose-gc Node (24) finds its code cache made for other flags, and starts 10 ms later.
 */
function collector(): () => void {
  const { Bun } = globalThis as unknown as { Bun?: { gc(sync: boolean): void } };
  if (Bun) return () => Bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

/** The resident memory of this process and its children, which they do not share. */
function residentKib(): number {
  let sum = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const isOurs = Number(pid) === process.pid || Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]) === process.pid;
      if (isOurs) sum += Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // It has just ended.
    }
  }
  return sum;
}
