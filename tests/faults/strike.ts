// Makes a worker fail, in each way and in each phase.

import process from "node:process";
import { delay } from "@std/async";
import { currentTask, task } from "../../mod.ts";
import { block, hold, isClosed } from "../fixtures/tasks/gate_tasks.ts";
import type { Way } from "./table.ts";

/** `[way, folder]` for failing_module.ts, which is loaded by its name alone. */
const armed = globalThis as { fault?: [Way, string] };

/** Fails in this way, at once or soon. A task awaits and returns what this returns. */
export function strike(way: Way, folder: string): unknown {
  const scope = globalThis as unknown as { Deno: { exit(code: number): never }; close(): void };
  switch (way) {
    case "exit":
      process.exit(7);
      break; // a thread of Bun runs on for a moment
    case "Deno.exit":
      return scope.Deno.exit(7);
    case "close":
      scope.close();
      return never();
    case "SIGKILL":
    case "SIGTERM":
    case "SIGABRT":
      process.kill(process.pid, way);
      return block(folder, process.pid);
    case "memory":
      for (const kept: unknown[] = [];;) kept.push(new Array(10_000).fill(0.5));
    case "abort":
      return process.abort();
    case "timer":
      setTimeout(fail, 1);
      return never();
    case "rejection":
      setTimeout(() => void Promise.reject(new RangeError("nobody handles it")), 1);
      return never();
    case "throw":
      return fail();
    case "uncloneable":
      return fail;
    case "loop":
      return block(folder, process.pid);
  }
}

export const arm = task(import.meta.url, function arm(way: Way, folder: string): void {
  armed.fault = [way, folder];
});

/** Fails as {@linkcode arm} has prepared. */
export function strikeAsArmed(): unknown {
  return armed.fault && strike(...armed.fault);
}

export const strikeNow = task(import.meta.url, function strikeNow(way: Way, folder: string): unknown {
  return strike(way, folder);
});

export const strikeSoon = task(
  import.meta.url,
  async function strikeSoon(way: Way, folder: string): Promise<unknown> {
    await delay(1);
    return strike(way, folder);
  },
);

/** How many reports come before the strike. */
export const REPORTS = 40;

/** Strikes between two reports. */
export const strikeInReports = task(
  import.meta.url,
  async function strikeInReports(way: Way, folder: string): Promise<unknown> {
    const { report } = currentTask();
    for (let n = 0; n < REPORTS; n++) report(n);
    await delay(1);
    const struck = await strike(way, folder);
    report(struck);
    return struck;
  },
);

/** Strikes when the gate in the folder `first` is open. */
export const strikeAfter = task(
  import.meta.url,
  async function strikeAfter(way: Way, folder: string, first: string): Promise<unknown> {
    await hold(first, 0);
    return strike(way, folder);
  },
);

export const strikeInResult = task(
  import.meta.url,
  function strikeInResult(way: Way, folder: string): { readonly part: unknown } {
    return {
      get part() {
        return strike(way, folder);
      },
    };
  },
);

/** Returns, and strikes when the gate in the folder `first` is open. */
export const strikeWhenIdle = task(
  import.meta.url,
  function strikeWhenIdle(way: Way, folder: string, first: string): string {
    setTimeout(function look() {
      if (isClosed(first)) setTimeout(look, 5);
      else strike(way, folder);
    }, 5);
    return "returned";
  },
);

/** An error like any other. */
export function fail(): never {
  throw new RangeError("struck");
}

function never(): Promise<never> {
  return new Promise(() => {});
}
