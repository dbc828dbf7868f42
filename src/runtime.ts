// The only detection of where this runs, and what differs there for everybody.

import type { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import process from "node:process";

/** The runtimes that are told apart. */
export type Runtime = "deno" | "bun" | "node";

/** Which runtime this is. Deno and Bun define Node's globals too, so they are asked first. */
export const runtime: Runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/**
 * Loads a module of the runtime at its first use. An import would load it with this package, in workers, too, whose modules
 * of tasks import the package: `node:fs` takes 3.5 ms of that on Deno (2.9), `node:child_process` 1 ms on all.
 */
export function loadBuiltin<Module>(name: `node:${string}`): Module {
  return (process.getBuiltinModule?.(name) ?? createRequire(import.meta.url)(name)) as Module; // Node before 20.16
}

/** How many workers can run at the same time here. */
export function availableParallelism(): number {
  const os = loadBuiltin<typeof import("node:os")>("node:os");
  return os.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** A name for this program that others on the same network are unlikely to have. */
export function programName(): string {
  let host = "host";
  try {
    host = loadBuiltin<typeof import("node:os")>("node:os").hostname();
  } catch {
    // Deno wants a permission for it.
  }
  return `${host}-${process.pid}`;
}

/** Knows what a function has started, whatever that awaits; none where the runtime cannot (Node before 20.16). */
export function asyncContext<T>(): AsyncLocalStorage<T> | undefined {
  // Not imported: programs have no use for it, and on Bun (1.4) it takes 1 ms of their start.
  const hooks = process.getBuiltinModule?.("node:async_hooks");
  return hooks && new hooks.AsyncLocalStorage<T>();
}

/** What the console shows of a value: of all but a text, which it writes as it is. */
export function inspect(value: unknown): string {
  // Not imported: it is needed for reports alone, and would be 1.8 ms of a program's start on Bun (1.4).
  const util = process.getBuiltinModule?.("node:util");
  if (util) return util.inspect(value);
  return value instanceof Error ? String(value.stack) : String(value); // Node before 20.16
}

let exiting = false;
const atExit = new Set<() => void>();
process.prependListener("exit", () => {
  exiting = true;
  for (const fn of atExit) fn();
});

/** Calls `fn` when the program exits, until that is taken back. */
export function onExit(fn: () => void): void {
  atExit.add(fn);
}

/** Takes {@linkcode onExit} back. */
export function offExit(fn: () => void): void {
  atExit.delete(fn);
}

const whenDone = new Set<() => void>();
process.on("beforeExit", () => {
  for (const fn of whenDone) fn();
});

/** Calls `fn` whenever the program has nothing left to do, and would exit, until that is taken back. What it starts is done. */
export function onDone(fn: () => void): void {
  whenDone.add(fn);
}

/** Takes {@linkcode onDone} back. */
export function offDone(fn: () => void): void {
  whenDone.delete(fn);
}

/** Whether the program has begun to exit: what is submitted now could not run any more. */
export function isExiting(): boolean {
  return exiting;
}

/** Lets a timer not keep the program alive. */
export function unrefTimer(id: ReturnType<typeof setTimeout>): void {
  if (typeof id === "object") (id as { unref(): void }).unref();
  else (globalThis as unknown as { Deno: { unrefTimer(id: number): void } }).Deno.unrefTimer(id);
}
