// (m) What workers take from the processor that wait for work.

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { type Case, warmUp, withPool, WORKERS } from "../case.ts";

/** How long it waits, in seconds. */
const SECONDS = 10;

/** One tick of the times in /proc, in milliseconds. */
const TICK = 10;

export const idleCase: Case = {
  name: "idle",
  title: `Time of the processor in ${SECONDS} idle seconds`,
  unit: "ms",
  by: "",
  note: `The program and its workers after bursts, by the kernel, in steps of ${TICK} ms. Measured on Linux.`,
  chart: "bars",
  runs: 1,
  admits: (contender) => process.platform === "linux" && contender === "ours",
  measure: (entry) =>
    withPool(entry, WORKERS, async (pool) => {
      await warmUp(pool, entry.quick);
      const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      await pause(entry.quick ? 0.1 : 2); // compilers and collectors of the runtime still work
      const before = ticks();
      await pause(entry.quick ? 1 : SECONDS);
      return { "": (ticks() - before) * TICK };
    }),
};

/** The time of the processor that this process and its children have taken, user's and system's. */
function ticks(): number {
  let sum = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // After the name in brackets: state, parent, ..., user's time (the 12th), system's time.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
      if (Number(pid) === process.pid || Number(fields[1]) === process.pid) {
        sum += Number(fields[11]) + Number(fields[12]);
      }
    } catch {
      // It has just ended.
    }
  }
  return sum;
}
