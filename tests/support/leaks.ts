// Lists the threads and processes of this program that are alive, as the operating system sees them.

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { until } from "./until.ts";

/** Names of threads: Node before 24 has none. */
const namesThreads = process.versions.deno !== undefined || !/^(20|22)\./.test(process.versions.node);

/** Only on Linux can a program see its threads and children without starting another program. */
export const canSeeWorkers: boolean = process.platform === "linux" && namesThreads;

/** Lists the threads that are workers. Deno names them "worker-1", Bun and Node after the executor. */
export function workerThreads(): string[] {
  if (!canSeeWorkers) return [];
  return entries("/proc/self/task")
    .map((thread) => read(`/proc/self/task/${thread}/comm`).trim())
    .filter((name) => /^worker-\d+$|^ThreadPool|^pool/.test(name));
}

/** Lists the ids of child processes that have not ended. */
export function children(): number[] {
  if (!canSeeWorkers) return [];
  return entries("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    const [state, parent] = statOf(pid);
    return parent === String(process.pid) && state !== "Z";
  });
}

/** Lists the child processes that are workers, without the shell that watches over them. */
export function workerProcesses(): number[] {
  return children().filter((pid) => read(`/proc/${pid}/comm`).trim() !== "sh");
}

/** Whether a process has not ended. */
export function isAlive(pid: number): boolean {
  const [state] = statOf(pid);
  return state !== undefined && state !== "Z";
}

/** Fails unless all threads, child processes and handles end. */
export async function assertNothingIsLeft(): Promise<void> {
  const left = () => [...workerThreads(), ...children().map((pid) => `process ${pid}`), ...activeResources()];
  await until("nothing is left", () => left().length === 0).catch((error) => {
    throw new Error(`Something is left: ${left()}`, { cause: error });
  });
}

/** Lists what keeps the program alive besides the test runner; only Node tells. */
function activeResources(): string[] {
  const resources = process.getActiveResourcesInfo?.() ?? [];
  return resources.filter((name) => /Worker|MessagePort|Process/.test(name));
}

/** Reads the third field and those after it. The second, the name, may hold spaces and brackets. */
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
