// What the hosts run.

import { delay } from "@std/async";
import { ROUNDS_PER_MS } from "../case.ts";
import { work as spin } from "../contenders/tasks.js";

export type TaskName = "increment" | "work" | "sleep";

/** As little as there is to do. */
export function increment(n: number): number {
  return n + 1;
}

/** Uses a core for about so many milliseconds. */
export function work(milliseconds: number): number {
  return spin(roundsOf(milliseconds));
}

/** What that is for those who run it by themselves. */
export function roundsOf(milliseconds: number): number {
  return milliseconds * ROUNDS_PER_MS;
}

/** Waits, as for a disk or a network. */
export async function sleep(milliseconds: number): Promise<number> {
  await delay(milliseconds);
  return milliseconds;
}
