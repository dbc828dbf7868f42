// A thread's side of the line on Deno and Bun: the worker's global scope. Nothing is imported from `node:`: that doubles a
// thread's start on Deno.

import type { ParentChannel } from "../wire/channel.ts";
import { enterPlace } from "../wire/place.ts";
import type { ToWorker } from "../wire/messages.ts";
import { open, seal } from "../wire/seal.ts";
import { cloneForThread, endAsUnreadable, toThread } from "../wire/sendable.ts";
import type { Side } from "../worker/main.ts";

// The scope of a dedicated worker, of which the compiler's library knows nothing here.
interface Scope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /** Not on Bun. */
  close?(): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "error" | "unhandledrejection", listener: (event: PromiseRejectionEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  readonly Deno?: { exit(code?: number): never; memoryUsage(): { heapUsed: number } };
  readonly process?: Process;
}

interface Process {
  exit(code?: number): never;
  exitCode?: number;
  memoryUsage(): { heapUsed: number };
  on(type: "unhandledRejection", listener: (reason: unknown) => void): void;
  readonly stdout: Output;
  readonly stderr: Output;
}

interface Output {
  end(done: () => void): void;
}
const scope = globalThis as unknown as Scope;

/** What the loop runs on. */
export const side: Side = {
  place: enterPlace(),
  open(onMessage) {
    const listener = (event: MessageEvent) => {
      const message = open(event.data) as ToWorker | undefined;
      if (message === undefined) return;
      event.stopImmediatePropagation(); // it is not for listeners of the tasks
      if (message.kind !== "stop") onMessage(message);
      else if (scope.Deno) scope.close!();
      else leave(listener, () => send({ kind: "draining" }));
    };
    scope.addEventListener("message", listener); // not `onmessage`, which is anybody's to set
    scope.addEventListener("messageerror", ({ data }) => endAsUnreadable(data));
    // The scope's as it is now: a task may put another in its place.
    const { postMessage } = scope;
    const post: ParentChannel["send"] = (message, transfer) => postMessage.call(scope, seal(message), transfer);
    // Bun (1.4) reads all that it can write.
    const send = toThread(post, scope.Deno !== undefined);
    return { send };
  },
  clone: scope.Deno ? cloneForThread : structuredClone,
  excuse(error) {
    // Bun (1.4) tells a thread nothing by the event, Deno nothing by its `process`.
    if (scope.Deno) scope.addEventListener("unhandledrejection", (e) => e.reason === error && e.preventDefault());
    else {
      scope.process!.on("unhandledRejection", (reason) => {
        if (reason !== error) throw reason;
      });
    }
  },
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

/** How long an idle thread of Bun may take to end by itself, in milliseconds: longer, when a task has left something behind. */
const LINGER = 50;

/** How often one that waits for its output to be read says so, in milliseconds. */
const BEAT = 1000;

/**
 * Ends a thread of Bun. By itself, it ends when nothing listens any more and all that was printed has left; process.exit()
 * loses what is under way (1.4), and to wait for that costs 10 ms where nothing was printed by `process.stdout`.
 */
function leave(listener: (event: MessageEvent) => void, onDraining: () => void): void {
  scope.removeEventListener("message", listener);
  setTimeout(() => {
    setInterval(onDraining, BEAT);
    const { stdout, stderr, exit } = scope.process!;
    stdout.end(() => stderr.end(() => exit()));
  }, LINGER).unref();
}
