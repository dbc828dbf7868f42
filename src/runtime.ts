// Which runtime this is, and what differs between runtimes for everybody.
//
// Nothing that a program loads imports a module of Node by name, so that the same files run in browsers, which have none, and
// on runtimes no slower. Only the files where workers start, and src/bullmq/, do.
//
// Two files look at the global scope by themselves: src/thread/port.web.ts, as `node:` modules would double a thread's start
// on Deno, and src/wire/place.ts, which modules of tasks load.

import type { AsyncLocalStorage } from "node:async_hooks";

/** The supported runtimes. */
export type Runtime = "deno" | "bun" | "node" | "browser";

/** Node's `process`, which Deno and Bun have too. In browsers there is none: what needs it is not called there. */
export const process: typeof import("node:process") = (globalThis as never)["process"];

/** The runtime that runs this program. Deno and Bun define Node's globals too, so they are asked first. */
export const runtime: Runtime = runtimeHere();

function runtimeHere(): Runtime {
  if ("Deno" in globalThis) return "deno";
  if ("Bun" in globalThis) return "bun";
  return process?.versions?.node ? "node" : "browser"; // build tools give pages a `process` that is not Node's
}

/**
 * Loads a module of the runtime at its first use. An import would load it with this package, in workers, too, whose modules
 * of tasks import the package: `node:fs` takes 3.5 ms of that on Deno (2.9), `node:child_process` 1 ms on all.
 */
export function loadBuiltin<Module>(name: `node:${string}`): Module {
  return process.getBuiltinModule(name) as Module;
}

/** Node's module of paths. */
export const nodePath = (): typeof import("node:path") => loadBuiltin("node:path");

/** Node's module of URLs. */
export const nodeUrl = (): typeof import("node:url") => loadBuiltin("node:url");

/** The number of workers that can run at the same time on this machine. */
export function availableParallelism(): number {
  if (runtime === "browser") return navigator.hardwareConcurrency;
  return loadBuiltin<typeof import("node:os")>("node:os").availableParallelism();
}

/**
 * Calls `fn` with each message that comes to a port. Not `on()` on Deno (2.9), which looks at each element of a typed array: 1 MiB
 * takes 0.2 s. Not `onmessage` on Node (24), which loads the class of its events first.
 */
export function onPortMessage<T>(port: MessagePort, fn: (message: T) => void): void {
  if (runtime === "deno") port.onmessage = ({ data }) => fn(data);
  else (port as unknown as { on(type: "message", fn: (message: T) => void): void }).on("message", fn);
}

/** A name for this program that no other on the same network is likely to have. */
export function programName(): string {
  let host = "host";
  try {
    host = loadBuiltin<typeof import("node:os")>("node:os").hostname();
  } catch {
    // Deno requires a permission for it.
  }
  return `${host}-${process.pid}`;
}

/** A storage that follows asynchronous code; `undefined` in a browser. */
export function asyncContext<T>(): AsyncLocalStorage<T> | undefined {
  if (runtime === "browser") return undefined;
  // Only workers that use executors need it, and on Bun (1.4) it takes 1 ms of a program's start.
  const { AsyncLocalStorage } = loadBuiltin<typeof import("node:async_hooks")>("node:async_hooks");
  return new AsyncLocalStorage<T>();
}

/** Formats a value as the console does. A string gets quotes, as it does inside of other values. */
export function inspect(value: unknown): string {
  if (runtime === "browser") return value instanceof Error ? String(value.stack) : String(value);
  // Only reports need it, and on Bun (1.4) it takes 1.8 ms of a program's start.
  return loadBuiltin<typeof import("node:util")>("node:util").inspect(value);
}

/** Whether the program has begun to exit; `undefined` until somebody wants to know. */
let exiting: boolean | undefined;
const atExit = new Set<() => void>();

/** Begins to watch for the program's exit, which may be under way. */
function watchExit(): void {
  if (exiting !== undefined) return;
  if (runtime === "browser") return void (exiting = false); // a page ends without a word, and its workers with it
  // Deno (2.9), Bun (1.4) and Node (20, 24) set it before they emit "exit".
  exiting = (process as { readonly _exiting?: boolean })._exiting === true;
  process.prependListener("exit", () => {
    exiting = true;
    for (const fn of atExit) fn();
  });
}

/** Whether the program has begun to exit: calls that are submitted now cannot run. */
export function isExiting(): boolean {
  watchExit();
  return exiting!;
}

/** Calls `fn` when the program exits, until {@linkcode offExit}. */
export function onExit(fn: () => void): void {
  watchExit();
  atExit.add(fn);
}

/** Unregisters `fn`. */
export function offExit(fn: () => void): void {
  atExit.delete(fn);
}

const whenDone = new Set<() => void>();
// One listener for all of them: Node warns of a leak when there are more than ten.
const callAll = () => {
  for (const fn of whenDone) fn();
};

/**
 * Calls `fn` whenever the program has nothing left to do and would exit, until {@linkcode offDone}. The program exits after
 * what `fn` starts is done.
 */
export function onDone(fn: () => void): void {
  if (whenDone.size === 0 && runtime !== "browser") process.on("beforeExit", callAll);
  whenDone.add(fn);
}

/** Unregisters `fn`. */
export function offDone(fn: () => void): void {
  whenDone.delete(fn);
  if (whenDone.size === 0 && runtime !== "browser") process.off("beforeExit", callAll);
}

/** Makes a timer not keep the program alive. A page is not kept by any. */
export function unrefTimer(id: ReturnType<typeof setTimeout>): void {
  if (typeof id === "object") (id as { unref(): void }).unref();
  else (globalThis as { Deno?: { unrefTimer(id: number): void } }).Deno?.unrefTimer(id);
}
