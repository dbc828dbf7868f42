// What the hosts run.

import { setTimeout as delay } from "node:timers/promises";

export type TaskName = "increment" | "work" | "sleep";

/** As little as there is to do. */
export function increment(n: number): number {
  return n + 1;
}

/** Uses a core for so many milliseconds. */
export function work(milliseconds: number): number {
  const start = performance.now();
  let rounds = 0;
  while (performance.now() - start < milliseconds) rounds++;
  return rounds;
}

/** Waits, as for a disk or a network. */
export async function sleep(milliseconds: number): Promise<number> {
  await delay(milliseconds);
  return milliseconds;
}
