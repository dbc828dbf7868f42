// A worker process's side of the line: the IPC channel that the parent has spawned it with.

import process from "node:process";
import { enterPlace, WORKER_ARGUMENT } from "../wire/place.ts";
import type { FromWorker, ToWorker } from "../wire/messages.ts";
import type { Side } from "../worker/main.ts";
import { refusing } from "../wire/sendable.ts";
import { cloneForProcess } from "./cloneable.ts";
import { pack, unpack } from "./pack.ts";

/** How long an idle worker process may wait for what its tasks have left behind, in milliseconds. */
const LINGER = 500;

/** How often one that waits for its output to be read says so, in milliseconds. */
const BEAT = 1000;

/** What the loop runs on. */
export const side: Side = {
  place: enterPlace(),
  open(onMessage) {
    // It is for what runs before: a program that reads its arguments is not to find it.
    if (process.argv.at(-1) === WORKER_ARGUMENT) process.argv.pop();
    // The process's as it is now: a task may put another in its place.
    const sendToParent = process.send!.bind(process);
    const send = (message: FromWorker) => void sendToParent(pack(message));
    // Nobody takes a task's socket or server, and Deno (2.9) may lose the line over one that comes right after a message.
    if ("Deno" in globalThis) {
      process.send = (message: unknown, ...rest: unknown[]) =>
        sendToParent(message, rest.find((part) => typeof part === "function") as () => void);
    }
    process.on("message", (received) => {
      const message = unpack(received) as ToWorker | undefined;
      if (message === undefined) return;
      if (message.kind !== "stop") return onMessage(message);
      process.channel!.unref();
      void leave(() => send({ kind: "draining" }));
    });
    // Ctrl-C goes to every process of the terminal: the parent decides what it means.
    process.on("SIGINT", () => {});
    // A send to a parent that is gone; `disconnect` follows.
    process.on("error", () => {});
    process.on("disconnect", () => void leave()); // the parent has ended
    return { send: (message) => refusing(() => send(message)) };
  },
  clone: cloneForProcess,
  memory: () => process.memoryUsage.rss(),
  excuse: (error) =>
    void process.on("unhandledRejection", (reason) => {
      if (reason !== error) throw reason;
    }),
  beforeEnd,
};

/** Deno (2.9) tells of `Deno.exit()` and of errors that nobody catches by events of its own only. */
function beforeEnd(fn: (exitCode: number, uncaught?: boolean) => void): void {
  process.on("exit", (exitCode) => fn(exitCode));
  if (!("Deno" in globalThis)) return;
  addEventListener("unload", () => fn(Number(process.exitCode ?? 0)));
  for (const type of ["error", "unhandledrejection"]) addEventListener(type, () => fn(1, true));
}

/**
 * Ends by itself when nothing is left to do and all that was printed has left, or soon.
 *
 * @param onDraining Called now and then while only the output is waited for; without it, that is not waited for.
 */
async function leave(onDraining?: () => void): Promise<void> {
  const { setInterval, setTimeout } = await import("node:timers"); // not before: on Bun (1.4) it takes 0.4 ms of the start
  setTimeout(() => {
    if (!onDraining) process.exit();
    setInterval(onDraining, BEAT);
    drain(process.stdout, () => drain(process.stderr, () => process.exit()));
  }, LINGER).unref();
}

/** Waits until what was printed has left, or nobody is there to read it. */
function drain(output: NodeJS.WriteStream, done: () => void): void {
  output.once("error", done);
  // Bun (1.4) calls back at once for nothing.
  if ("Bun" in globalThis) output.end(done);
  else output.write("", () => done());
}
