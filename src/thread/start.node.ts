// Starts a thread on Node, and is the parent's end of its line.

import process from "node:process";
import { isMainThread, Worker } from "node:worker_threads";
import type { Backend, WorkerOptions } from "../pool/backend.ts";
import { assertFolder } from "../flags.ts";
import { newClaims } from "../wire/claims.ts";
import { type ChannelEvents, neverStarted, type WorkerChannel, type WorkerExit } from "../wire/channel.ts";
import type { FromWorker } from "../wire/messages.ts";
import { WORKER_ARGUMENT } from "../wire/place.ts";
import { open, seal } from "../wire/seal.ts";
import { cloneForThread, toThread } from "../wire/sendable.ts";
import { startWithFlags } from "./flags.node.ts";

/** The heap's limit is so much higher: a worker that grows call by call retires between two of them, and loses none. */
const HEADROOM = 1.25;

/** How long an idle worker that is asked to end may take, in milliseconds: what a task left behind may have it deaf. */
const STOP_LIMIT = 5000;

/** How long the end of a worker that nobody has asked for waits for what its tasks have printed, in milliseconds. */
const OUTPUT_LIMIT = 1000;

/** How often it is looked whether there is still somebody to print for, in milliseconds. */
const LOOK = 100;

/** Starts a thread. */
export const start: Backend["start"] = (name, options, events) => startThread(Worker, name, options, events);

/** Starts a thread, by Node's `Worker`. */
export function startThread(
  WorkerClass: typeof Worker,
  name: string,
  { memoryLimit }: WorkerOptions,
  events: ChannelEvents,
): WorkerChannel {
  let worker: Worker | undefined;
  try {
    assertFolder();
    const options = {
      name,
      argv: [WORKER_ARGUMENT],
      ...(memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit * HEADROOM } }),
    };
    const entry = new URL("./entry.node.js", import.meta.url);
    worker = startWithFlags(options, (options) => new WorkerClass(entry, options));
    return connect(worker, events);
  } catch (error) {
    if (worker) void terminate(worker, () => {});
    return neverStarted(events, error);
  }
}

function connect(worker: Worker, events: ChannelEvents): WorkerChannel {
  let error: unknown;
  let closed = false, stopped = false;
  let stopping: ReturnType<typeof setTimeout> | undefined;
  const close = (exit: WorkerExit) => {
    if (closed) return;
    closed = true;
    clearTimeout(stopping);
    events.onClose(exit);
  };
  const end = () => {
    void terminate(worker, (error) => close({ error, abandoned: true }));
  };
  /** The line is of no use any more, and neither is its worker. */
  const giveUp = (thrown: unknown) => {
    error ??= thrown;
    end();
  };
  worker.on("message", (received) => {
    const message = open(received) as FromWorker | undefined;
    if (message !== undefined) events.onMessage(message);
  });
  worker.on("messageerror", () => events.onMessage({ kind: "unread" }));
  worker.on("error", (thrown) => error = thrown);
  worker.on("exit", async (exitCode) => {
    clearTimeout(stopping);
    await printed(worker, stopped ? Infinity : OUTPUT_LIMIT);
    close({ exitCode, error });
  });
  return {
    claims: newClaims(),
    // A thread reads all that the main thread can write: its stack is larger, unless Node was told otherwise.
    send: toThread((message, transfer) => worker.postMessage(seal(message), transfer as never), !isMainThread),
    clone: cloneForThread,
    keepAlive(alive) {
      try {
        if (alive) worker.ref();
        else worker.unref();
      } catch (error) {
        giveUp(error);
      }
    },
    stop() {
      stopped = true;
      // Not terminate(): what tasks have printed would be lost. It is the worker's to send, bit by bit (Node 24).
      try {
        worker.postMessage(seal({ kind: "stop" }));
        stopping = setTimeout(end, STOP_LIMIT);
      } catch (error) {
        giveUp(error);
      }
    },
    terminate: end,
    kill: end,
  };
}

async function terminate(worker: Worker, onError: (error: unknown) => void): Promise<void> {
  try {
    await worker.terminate();
  } catch (error) {
    onError(error);
  }
}

/** Resolves when what a worker has printed has left the program, or nobody reads it any more, or so many milliseconds later. */
async function printed(worker: Worker, limit: number): Promise<void> {
  const deadline = performance.now() + limit;
  for (const name of ["stdout", "stderr"] as const) {
    const from = worker[name], to = process[name];
    // After an error of the program's output, such as EPIPE, nothing flows there any more.
    const inVain = () => from.listenerCount("data") === 0 || performance.now() > deadline;
    if (!from.readableEnded) await until((done) => from.once("end", done), inVain);
    if (to.writableLength > 0) await until((done) => to.write("", () => done()), inVain);
  }
}

/** Resolves when `begin` is done, or that is waited for in vain. */
function until(begin: (done: () => void) => void, inVain: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(() => inVain() && done(), LOOK);
    begin(done);
  });
}
