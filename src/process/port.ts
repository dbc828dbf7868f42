// The worker's end of the line in a process: the IPC channel that the parent has opened for it.

import process from "node:process";
import { runtime } from "../runtime.ts";
import type { ParentPort } from "../wire/channel.ts";
import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { enterPlace, WORKER_ARGUMENT } from "../wire/place.ts";
import { refusing } from "../wire/sendable.ts";
import { cloneForProcess } from "./cloneable.ts";
import { waitsForProgram } from "./node_pipe.ts";
import { pack, unpack } from "./pack.ts";
import { openPage } from "./page.ts";

/** How long an idle worker process has to end by itself, in milliseconds. What its tasks left behind can keep it running. */
const LINGER = 500;

/** How often a process that waits for its output to be read tells the parent so, in milliseconds. */
const BEAT = 1000;

// The process's own methods, taken before a task can replace them.
const sendToParent = process.send!.bind(process);
const exit = process.exit.bind(process);
const post = (message: FromWorker) => void sendToParent(pack(message));
const waiting = runtime === "node" && process.platform !== "win32" ? waitsForProgram(process) : undefined;

/** What the loop runs on. */
export const port: ParentPort = {
  place: enterPlace(),
  receive(onMessage, onStop) {
    // Only code that runs before the loop needs it: a task must not find it among the program's arguments.
    if (process.argv.at(-1)?.startsWith(WORKER_ARGUMENT)) process.argv.pop();
    // Nobody receives a socket or server that a task sends, and on Deno (2.9) one that comes right after a message can break
    // the line.
    if (runtime === "deno") {
      process.send = (message: unknown, ...rest: unknown[]) =>
        sendToParent(message, rest.find((part) => typeof part === "function") as () => void);
    }
    process.on("message", (received) => {
      const message = unpack(received) as ToWorker | undefined;
      if (message === undefined) return;
      if (message.kind !== "stop") return onMessage(message);
      const end = () => {
        process.channel!.unref();
        void leave(() => post({ kind: "draining" }));
      };
      const last = onStop();
      if (last) void last.then(end);
      else end();
    });
    // Ctrl-C goes to every process of the terminal. The parent decides what it means.
    process.on("SIGINT", () => {});
    // A message to a parent that is gone. `disconnect` follows.
    process.on("error", () => {});
    process.on("disconnect", () => void leave()); // the parent has ended
  },
  send: (message) =>
    refusing(() => {
      if (waiting && message.kind === "reports") waiting(() => post(message));
      else post(message);
    }),
  clone: cloneForProcess,
  // Without the page, this worker cannot tell which calls it still has. What it has finished leaves as it ends.
  openPage: (descriptor) => openPage(descriptor, () => exit(1)),
  memory: () => process.memoryUsage.rss(),
  excuse: (error) =>
    void process.on("unhandledRejection", (reason) => {
      if (reason !== error) throw reason;
    }),
  beforeEnd,
};

/** Deno (2.9) announces `Deno.exit()` and errors that nobody catches by its own events alone. */
function beforeEnd(fn: (exitCode: number, uncaught?: boolean) => void): void {
  process.on("exit", (exitCode) => fn(exitCode));
  if (runtime !== "deno") return;
  addEventListener("unload", () => fn(Number(process.exitCode ?? 0)));
  for (const type of ["error", "unhandledrejection"]) addEventListener(type, () => fn(1, true));
}

/**
 * Ends this process. It ends by itself when it has nothing left to do and its output has left, and otherwise soon.
 *
 * @param onDraining Called every second while the process waits for its output to be read; without it, it does not wait.
 */
async function leave(onDraining?: () => void): Promise<void> {
  const { setInterval, setTimeout } = await import("node:timers"); // not before: on Bun (1.4) it takes 0.4 ms of the start
  setTimeout(() => {
    if (!onDraining) process.exit();
    setInterval(onDraining, BEAT);
    drain(process.stdout, () => drain(process.stderr, () => process.exit()));
  }, LINGER).unref();
}

/** Calls `done` when the output has left, or nobody is there to read it. */
function drain(output: NodeJS.WriteStream, done: () => void): void {
  output.once("error", done);
  // Bun (1.4) calls back at once for an empty write.
  if (runtime === "bun") output.end(done);
  else output.write("", () => done());
}
