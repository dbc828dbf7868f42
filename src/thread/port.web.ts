// The worker's end of the line in a thread of Deno, Bun or a browser: the worker's global scope. It imports nothing from `node:`, which
// would double a thread's start on Deno.

import type { ParentPort } from "../wire/channel.ts";
import type { FromWorker } from "../wire/messages.ts";
import { enterPlace } from "../wire/place.ts";
import { seal } from "../wire/seal.ts";
import { cloneForThread, endAsUnreadable, toThread } from "../wire/sendable.ts";
import type { Wire } from "./line.ts";
import { WorkerLine } from "./line_worker.ts";

// The scope of a dedicated worker, which is not in the compiler's library here.
interface Scope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /** Not on Bun. */
  close?(): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "error" | "unhandledrejection", listener: (event: PromiseRejectionEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  readonly Deno?: { exit(code?: number): never; memoryUsage(): { heapUsed: number } };
  readonly Bun?: object;
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

const isBun = scope.Bun !== undefined;

const line = new WorkerLine(wireOver(scope), wireOver);

function wireOver(port: Pick<Scope, "postMessage">): Wire<FromWorker> {
  // The port's own method, taken before a task can replace it.
  const { postMessage } = port;
  // A second argument, even `undefined`, takes Deno (2.9) 1 ms when it is the first in a thread.
  const post: ParentPort["send"] = (message, transfer) =>
    transfer ? postMessage.call(port, seal(message), transfer) : postMessage.call(port, seal(message));
  return {
    // Bun (1.4) reads whatever it can write.
    post: toThread(post, !isBun),
    wake: (message) => postMessage.call(port, message),
  };
}

function listen(event: MessageEvent): void {
  if (line.take(event.data)) event.stopImmediatePropagation(); // listeners of tasks do not get it
}

/**
 * Makes what the loop runs on.
 *
 * @param own Whether the worker's file is the user's own.
 */
export const openPort = (own = false): ParentPort => ({
  place: enterPlace(own),
  receive(onMessage, onStop) {
    line.receive((message) => {
      if (message.kind === "end") return scope.close!();
      if (message.kind !== "stop") return onMessage(message);
      const end = () => isBun ? leave(() => line.send({ kind: "draining" })) : scope.close!();
      const last = onStop();
      if (last) void last.then(end);
      else end();
    });
    scope.addEventListener("message", listen); // not `onmessage`, which a task may set
    scope.addEventListener("messageerror", ({ data }) => endAsUnreadable(data));
  },
  send: (message, transfer) => line.send(message, transfer),
  attend: () => line.attend(),
  look: () => line.look(),
  clone: isBun ? structuredClone : cloneForThread,
  excuse(error) {
    // A thread of Bun (1.4) gets this event from `process` alone, any other from its scope alone.
    if (!isBun) scope.addEventListener("unhandledrejection", (e) => e.reason === error && e.preventDefault());
    else {
      scope.process!.on("unhandledRejection", (reason) => {
        if (reason !== error) throw reason;
      });
    }
  },
  // A browser does not tell its workers.
  memory: () => (scope.Deno ?? (isBun ? scope.process : undefined))?.memoryUsage().heapUsed ?? 0,
  beforeEnd,
});

/**
 * Deno (2.9) does not tell the parent about `self.close()` and `Deno.exit()`, so both are wrapped to say goodbye first. So
 * does an error that nobody catches: on both runtimes the thread's finished results would be lost with it, and Deno tells
 * the parent of the error before it delivers what was sent earlier.
 */
function beforeEnd(fn: (exitCode: number, uncaught?: boolean) => void): void {
  wrap(scope, "close", () => 0);
  wrap(scope.Deno, "exit", (code) => code ?? 0);
  // On Deno process.exit() calls Deno.exit(). Reading `process` there would load it, which doubles a thread's start.
  if (isBun) wrap(scope.process, "exit", (code) => code ?? scope.process?.exitCode ?? 0);
  // It ends the thread, unless the task prevents that.
  scope.addEventListener("error", () => fn(1, true));
  scope.addEventListener("unhandledrejection", (event) => {
    if (scope.Deno || isBun) return fn(1, true);
    // To a browser, a rejection is no error that the parent has to know: here it becomes one, if no listener prevents it.
    setTimeout(() => event.defaultPrevented || reportError(event.reason));
  });

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

/** How long an idle thread of Bun has to end by itself, in milliseconds. What a task left behind can keep it running. */
const LINGER = 50;

/** How often a thread that waits for its output to be read tells the parent so, in milliseconds. */
const BEAT = 1000;

/**
 * Ends a thread of Bun. A thread ends by itself when nothing listens any more and its output has left. process.exit() loses
 * output that is under way (1.4), and waiting for it takes 10 ms in a thread that has not used `process.stdout`.
 */
function leave(onDraining: () => void): void {
  scope.removeEventListener("message", listen);
  setTimeout(() => {
    setInterval(onDraining, BEAT);
    const { stdout, stderr, exit } = scope.process!;
    stdout.end(() => stderr.end(() => exit()));
  }, LINGER).unref();
}
