// What is alive: the threads and processes of this program, as the operating system sees them.

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { until } from "./until.ts";

/** Only Linux shows a program its threads and children without starting another program. */
export const canSeeWorkers: boolean = process.platform === "linux";

/** The threads that are workers: Deno calls them "worker-1", Bun and Node by the executor's name. */
export function workerThreads(): string[] {
  if (!canSeeWorkers) return [];
  return entries("/proc/self/task")
    .map((thread) => read(`/proc/self/task/${thread}/comm`).trim())
    .filter((name) => /^worker-\d+$|^ThreadPool|^pool/.test(name));
}

/** The ids of child processes that have not ended. */
export function children(): number[] {
  if (!canSeeWorkers) return [];
  return entries("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    const [state, parent] = statOf(pid);
    return parent === String(process.pid) && state !== "Z";
  });
}

/** The child processes that are workers: not the shell that watches over them. */
export function workerProcesses(): number[] {
  return children().filter((pid) => read(`/proc/${pid}/comm`).trim() !== "sh");
}

/** Whether a process has not ended. */
export function isAlive(pid: number): boolean {
  const [state] = statOf(pid);
  return state !== undefined && state !== "Z";
}

/** Fails unless all threads, child processes and timers go. */
export async function assertNothingIsLeft(): Promise<void> {
  const left = () => [...workerThreads(), ...children().map((pid) => `process ${pid}`), ...activeResources()];
  await until("nothing is left", () => left().length === 0).catch((error) => {
    throw new Error(`Something is left: ${left()}`, { cause: error });
  });
}

/** What keeps the program alive besides the test runner; only Node tells. */
function activeResources(): string[] {
  const resources = process.getActiveResourcesInfo?.() ?? [];
  return resources.filter((name) => /Worker|MessagePort|Process/.test(name));
}

/** The third and fourth field; the second, the name, may hold spaces and brackets. */
function statOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty when the thread or process has just ended. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
