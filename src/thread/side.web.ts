// A thread's side of the line on Deno and Bun: the worker's global scope. Nothing is imported from `node:`: that doubles a
// thread's start on Deno.

import type { ToWorker } from "../wire/messages.ts";
import { cloneForThread, endAsUnreadable, toThread } from "../wire/sendable.ts";
import type { Side } from "../worker/main.ts";

// The scope of a dedicated worker, of which the compiler's library knows nothing here.
interface Scope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer?: Transferable[]): void;
  close(): void;
  addEventListener(type: "error" | "unhandledrejection", listener: () => void): void;
  addEventListener(type: "messageerror", listener: (event: MessageEvent) => void): void;
  readonly Deno?: { exit(code?: number): never; memoryUsage(): { heapUsed: number } };
  readonly process?: { exit(code?: number): never; exitCode?: number; memoryUsage(): { heapUsed: number } };
}
const scope = globalThis as unknown as Scope;

/** What the loop runs on. */
export const side: Side = {
  open(onMessage) {
    scope.onmessage = ({ data }: MessageEvent<ToWorker>) => data.kind === "stop" ? scope.close() : onMessage(data);
    scope.addEventListener("messageerror", ({ data }) => endAsUnreadable(data));
    // Bun (1.4) reads all that it can write.
    return { send: toThread((message, transfer) => scope.postMessage(message, transfer), scope.Deno !== undefined) };
  },
  clone: scope.Deno ? cloneForThread : structuredClone,
  memory: () => (scope.Deno ?? scope.process!).memoryUsage().heapUsed,
  beforeEnd,
};

/**
 * Deno (2.9) tells the parent nothing about `self.close()` and `Deno.exit()`, so they say goodbye first. So do errors that
 * nobody catches: what is finished would be lost with the thread on both, and Deno tells the parent of the error before it
 * delivers what was sent until then.
 */
function beforeEnd(fn: (exitCode: number, uncaught?: boolean) => void): void {
  wrap(scope, "close", () => 0);
  wrap(scope.Deno, "exit", (code) => code ?? 0);
  // On Deno process.exit() is Deno.exit(), and to look at `process` is to load it: it doubles a thread's start.
  if (!scope.Deno) wrap(scope.process, "exit", (code) => code ?? scope.process?.exitCode ?? 0);
  for (const type of ["error", "unhandledrejection"] as const) {
    // The thread ends by it, unless the task prevents that.
    scope.addEventListener(type, () => fn(1, true));
  }

  // deno-lint-ignore no-explicit-any
  function wrap(owner: any, name: string, exitCode: (code?: number) => number): void {
    const original = owner?.[name];
    if (typeof original !== "function") return;
    const replacement = (code?: number) => {
      fn(exitCode(code));
      return original.call(owner, code);
    };
    Object.defineProperty(owner, name, { value: replacement, configurable: true, writable: true });
  }
}
