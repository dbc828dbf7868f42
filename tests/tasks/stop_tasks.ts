// Tasks that know that they may be stopped, and tasks that do not listen.

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { task } from "../../mod.ts";
import { currentTask } from "../../src/worker/current_task.ts";
import { hold, note } from "./gate_tasks.ts";

/** Ends as soon as its signal aborts, with what it was aborted with. */
export const listen = task(import.meta.url, async function listen(folder: string, value: number): Promise<string> {
  const { signal } = currentTask();
  note(folder, value);
  while (!signal.aborted) await delay(5);
  note(folder, `stopped: ${signal.reason?.message}`);
  return "stopped in order";
});

/** Ends with its signal's reason. */
export const listenAndThrow = task(
  import.meta.url,
  async function listenAndThrow(folder: string, value: number): Promise<never> {
    const { signal } = currentTask();
    note(folder, value);
    while (!signal.aborted) await delay(5);
    throw signal.reason;
  },
);

/** What the task is told of itself, before and after a wait. */
export const describeTask = task(import.meta.url, async function describeTask(): Promise<unknown[]> {
  const before = currentTask();
  await delay(1);
  const after = currentTask();
  return [before.workerName, before.attempt, before.signal.aborted, before.signal === after.signal];
});

/** Fails with its attempt's number, until that is `good`. */
export const failUntil = task(import.meta.url, function failUntil(good: number, folder: string): number {
  const { attempt } = currentTask();
  note(folder, attempt);
  if (attempt < good) throw new RangeError(`attempt ${attempt}`);
  return attempt;
});

/** Ends its worker until its attempt is `good`. */
export const exitUntil = task(import.meta.url, function exitUntil(good: number, folder: string): number {
  const { attempt } = currentTask();
  note(folder, attempt);
  if (attempt < good) process.exit(1);
  return attempt;
});

/** Holds for ever until its attempt is `good`. */
export const holdUntil = task(
  import.meta.url,
  async function holdUntil(good: number, folder: string): Promise<number> {
    const { attempt } = currentTask();
    if (attempt < good) return await hold(folder, attempt);
    note(folder, attempt);
    return attempt;
  },
);
