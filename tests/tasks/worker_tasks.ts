// Tasks about the worker that runs them: its identity, the module's state there, its end.

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { currentTask, task } from "../../mod.ts";

/** Another one in each worker, as this module is loaded once in each. */
const id = crypto.randomUUID();
let state = "as loaded";
let running = 0;

export const workerId = task(import.meta.url, function workerId(): string {
  return id;
});

export const workerName = task(import.meta.url, function workerName(): string {
  return currentTask().workerName;
});

export const workerPid = task(import.meta.url, function workerPid(): number {
  return process.pid;
});

export const setState = task(import.meta.url, function setState(...words: string[]): void {
  state = words.join(" ");
});

export const getState = task(import.meta.url, function getState(): string {
  return state;
});

/** How many calls of it this worker runs at the same time. */
export const overlap = task(import.meta.url, async function overlap(): Promise<number> {
  running++;
  await delay(2);
  return running--;
});

/** Ends its worker. */
export const exit = task(import.meta.url, function exit(code: number): void {
  process.exit(code);
});

/** Returns, then ends its worker. */
export const exitLater = task(import.meta.url, function exitLater(code: number): string {
  setTimeout(() => process.exit(code), 20);
  return "returned";
});

export const fail = task(import.meta.url, function fail(message: string): never {
  throw new RangeError(message);
});
