// Starts a thread on Node, and makes the parent's end of its line.

import type { Worker } from "node:worker_threads";
import type { Backend, WorkerOptions } from "../pool/backend.ts";
import { findEntry, firstLines } from "../entry.ts";
import { assertFolder, startWithFlags } from "../flags.ts";
import { loadBuiltin, process } from "../runtime.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { WordClaims } from "../wire/claims.ts";
import { type ChannelEvents, neverStarted, STOP_LIMIT, type WorkerChannel, type WorkerExit } from "../wire/channel.ts";
import { TOO_EARLY } from "../wire/blocking.ts";
import { WORKER_ARGUMENT } from "../wire/place.ts";
import { seal } from "../wire/seal.ts";
import { cloneForThread, toThread } from "../wire/sendable.ts";
import { EntryText, openWithText } from "../pool/entry_text.ts";
import { expectAnswer } from "../pool/own_worker.ts";
import { startOwn } from "./own_thread.ts";
import { ParentLine } from "./line_parent.ts";
import { polledPort } from "./polled_port.ts";

/** The limit of the heap, as a multiple of `memoryLimit`: a worker that grows call by call retires before it gets there. */
const HEADROOM = 1.25;

/** How long a worker that ended unasked may take to deliver what its tasks have printed, in milliseconds. */
const OUTPUT_LIMIT = 1000;

/** Time between two checks that somebody still reads the output, in milliseconds. */
const POLL = 100;

const text = new EntryText(() => import("./entry.node.text.ts"));

const threads = () => loadBuiltin<typeof import("node:worker_threads")>("node:worker_threads");

/** Starts a thread. */
export const start: Backend["start"] = (name, options, events) => startThread(threads().Worker, name, options, events);

/** Starts a thread with Node's `Worker`, or with what a test passes in its place. */
export function startThread(
  WorkerClass: typeof Worker,
  name: string,
  { memoryLimit, worker: own }: WorkerOptions,
  events: ChannelEvents,
): WorkerChannel {
  let worker: Worker | undefined;
  try {
    assertFolder();
    if (own) {
      const thread = worker = startOwn(own, WorkerClass);
      return expectAnswer(events, (events) => connect(thread, events));
    }
    const options = {
      name,
      argv: [WORKER_ARGUMENT],
      ...(memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit * HEADROOM } }),
    };
    const entry = findEntry(
      "../thread/entry.node.js",
      () => new URL("../thread/entry.node.js", import.meta.url),
      import.meta.url,
    );
    // Not `new Worker(new URL(...))`, of which webpack (5) makes code that does not run.
    worker = startWithFlags(
      options,
      (options) =>
        entry
          ? new WorkerClass(entry, options)
          : new WorkerClass(firstLines('require("node:worker_threads").parentPort'), { ...options, eval: true }),
    );
    if (entry) return connect(worker, events);
    const thread = worker, send = (message: object) => thread.postMessage(message);
    return openWithText(text, send, events, (events) => connect(thread, events));
  } catch (error) {
    if (worker) void terminate(worker, () => {});
    return neverStarted(events, error);
  }
}

function connect(worker: Worker, events: ChannelEvents): WorkerChannel {
  let error: unknown;
  let closed = false, stopped = false;
  let stopping: Timer | undefined;
  const close = (exit: WorkerExit) => {
    if (closed) return;
    closed = true;
    stopping?.clear();
    mail?.close();
    line.end(() => events.onClose(exit));
  };
  let exitCode: number | undefined;
  const mail = polledPort(() => line, () => close({ exitCode: exitCode ?? 1, error }));
  const end = () => {
    line.refuseReports();
    mail?.end();
    void terminate(worker, (error) => close({ error, abandoned: true }));
  };
  /** Does something with the worker; ends it when the runtime throws. */
  const attempt = (action: () => void) => {
    try {
      action();
    } catch (thrown) {
      error ??= thrown;
      end();
    }
  };
  const line = new ParentLine({
    // A thread reads whatever the main thread can write: its stack is larger, unless a flag of Node changes that.
    post: toThread(
      (message, transfer) => worker.postMessage(seal(message), transfer as never),
      !threads().isMainThread,
    ),
    wake: (message) => attempt(() => worker.postMessage(message)),
  }, (message) => {
    if (mail && message?.kind === "bye") exitCode = message.exitCode;
    events.onMessage(message);
  }, mail?.replyTo);
  worker.on("message", (received) => line.take(received));
  worker.on("messageerror", () => line.take(seal({ kind: "unread" })));
  worker.on("error", (thrown) => error = thrown);
  worker.on("exit", async (exitCode) => {
    stopping?.clear();
    await printed(worker, stopped ? Infinity : OUTPUT_LIMIT);
    close({ exitCode, error });
  });
  return {
    claims: new WordClaims(),
    refusesToBlock: mail ? undefined : TOO_EARLY,
    send: (message, transfer) => line.send(message, transfer),
    heard: (messages) => line.heard(messages),
    expect: () => line.expect(),
    clone: cloneForThread,
    keepAlive: (alive) =>
      attempt(() => {
        if (alive) worker.ref();
        else worker.unref();
        mail?.keepAlive(alive);
      }),
    stop() {
      stopped = true;
      // Not terminate(), which loses output: the worker itself has to send what its tasks have printed (Node 24).
      attempt(() => {
        line.send({ kind: "stop" });
        stopping = startTimer(STOP_LIMIT, end);
        mail?.end();
      });
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

/** Resolves when the output of a worker has left the program, or nobody reads it any more, or `limit` milliseconds later. */
async function printed(worker: Worker, limit: number): Promise<void> {
  const deadline = performance.now() + limit;
  for (const name of ["stdout", "stderr"] as const) {
    const from = worker[name], to = process[name];
    // After an error of the program's output, such as EPIPE, it takes nothing more.
    const inVain = () => from.listenerCount("data") === 0 || performance.now() > deadline;
    if (!from.readableEnded) await until((done) => from.once("end", done), inVain);
    if (to.writableLength > 0) await until((done) => to.write("", () => done()), inVain);
  }
}

/** Resolves when what `begin` starts is done, or waiting for it is in vain. */
function until(begin: (done: () => void) => void, inVain: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(() => inVain() && done(), POLL);
    begin(done);
  });
}
