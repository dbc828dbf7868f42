// Tasks of the tests across machines: they say where they run, keep a ledger of what has run, and end their host.

import { appendFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { task } from "../../mod.ts";
import { evaluate } from "../../src/worker/evaluate.ts";
import { hold } from "./gate_tasks.ts";

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** Runs a function by its source: for behaviours that are written with inline tasks. An executor across machines has none. */
export const inline = task(
  import.meta.url,
  async function inline(source: string, ...args: unknown[]): Promise<unknown> {
    return await evaluate(source)(...args);
  },
);

/** Which runtime it runs on. */
export const whichRuntime = task(import.meta.url, function whichRuntime(): string {
  return runtime;
});

/** As `hold`, and returns which runtime it has run on. */
export const holdSomewhere = task(
  import.meta.url,
  async function holdSomewhere(folder: string): Promise<string> {
    await hold(folder, process.pid);
    return runtime;
  },
);

/** Writes its number into a file, one line for each time that it runs. */
export const enter = task(import.meta.url, function enter(ledger: string, n: number): number {
  // One write, at the end of the file: lines of several hosts do not mix.
  appendFileSync(ledger, `${n}\n`);
  return n * 2;
});

/** As `enter`, and takes some time. */
export const enterSlowly = task(
  import.meta.url,
  async function enterSlowly(ledger: string, n: number, ms: number): Promise<number> {
    await delay(ms);
    return enter(ledger, n);
  },
);

/** Gives back what it was given. */
export const echo = task(import.meta.url, function echo(value: unknown): unknown {
  return value;
});

/** Throws what it was given. */
export const throwIt = task(import.meta.url, function throwIt(value: unknown): never {
  throw value;
});

/** Ends the host that runs it, as a crash would: in a thread, its process is the host. Notes that it has begun. */
export const killHost = task(import.meta.url, async function killHost(folder: string): Promise<never> {
  appendFileSync(`${folder}/notes`, `${process.pid}\n`);
  process.kill(process.pid, "SIGKILL");
  return await new Promise(() => {});
});
