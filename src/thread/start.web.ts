// Starts a thread on Deno and Bun, and is the parent's end of its line.

import type { Backend, WorkerOptions } from "../pool/backend.ts";
import { runtime } from "../runtime.ts";
import { assertFolder } from "../flags.ts";
import { newClaims } from "../wire/claims.ts";
import { type ChannelEvents, neverStarted, type WorkerChannel, type WorkerExit } from "../wire/channel.ts";
import { type FromWorker, readFromWorker } from "../wire/messages.ts";
import { open, seal } from "../wire/seal.ts";
import { cloneForThread, toThread } from "../wire/sendable.ts";
import { checkPermissions } from "./permissions.ts";

/** Bun's additions to Worker. */
interface BunWorker {
  ref?(): void;
  unref?(): void;
}

/** How long Deno has a worker stay up with nothing to do where it can only be ended, in milliseconds. */
const IDLE_LIMIT = 500;

/** How long a worker has to end before it counts as one that cannot be stopped, in milliseconds. */
const GOODBYE_LIMIT = { deno: 100, bun: 5000 };

/** How long the last words of a worker that has failed may take to come, in milliseconds. */
const LAST_WORDS = 100;

/** Starts a thread. */
export const start: Backend["start"] = (name, options, events) => startThread(Worker, name, options, events);

/** Starts a thread, by the platform's `Worker`. */
export function startThread(
  WorkerClass: typeof Worker,
  name: string,
  { permissions }: WorkerOptions,
  events: ChannelEvents,
): WorkerChannel {
  let worker: Worker | undefined;
  try {
    assertFolder();
    worker = new WorkerClass(new URL("./entry.web.js", import.meta.url), {
      type: "module",
      name,
      ...(permissions !== "inherit" && { deno: { permissions: checkPermissions("start a worker", permissions) } }),
    });
    return connect(worker, events);
  } catch (error) {
    worker?.terminate();
    return neverStarted(events, error);
  }
}

function connect(worker: Worker & BunWorker, events: ChannelEvents): WorkerChannel {
  const limit = GOODBYE_LIMIT[runtime as "deno" | "bun"];
  let exit: WorkerExit | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = (how: WorkerExit) => {
    if (exit) return;
    exit = how;
    clearTimeout(timer);
    attempt(() => worker.terminate());
    attempt(() => hold(false)); // a thread of Deno in a synchronous loop goes on, and would keep the program alive for ever
    events.onClose(how);
  };
  /** A worker that the runtime does not let be worked with is given up. */
  const attempt = (action: () => void) => {
    try {
      action();
    } catch (error) {
      close({ error, abandoned: true });
    }
  };
  const closeIn = (delay: number, how: WorkerExit) => timer ??= setTimeout(close, delay, how);
  const ask = () => {
    attempt(() => worker.postMessage(seal({ kind: "stop" })));
    closeIn(limit, { abandoned: true });
  };
  const terminate = () => {
    clearTimeout(timer);
    timer = undefined;
    attempt(() => worker.terminate());
    closeIn(limit, { abandoned: true });
  };
  // Deno (2.9) cannot stop a thread in a synchronous loop and does not say whether it has stopped any other: so the worker
  // is asked, and what does not answer is abandoned. Bun (1.4) stops it, whatever it does, and says so; but what was printed
  // last is lost then, so that an idle worker is asked first.
  const isDeno = runtime === "deno";
  const end = isDeno ? ask : terminate;
  let stopping = false;
  const terminateLater = () => {
    clearTimeout(timer);
    timer = setTimeout(terminate, limit);
  };
  const stop = isDeno ? ask : () => {
    stopping = true;
    attempt(() => worker.postMessage(seal({ kind: "stop" })));
    terminateLater();
  };
  const hold = holder(worker, end);
  // Its goodbye, an error that nobody has caught, and whether all was read that the worker sent before that.
  let said: WorkerExit | undefined, uncaught: WorkerExit | undefined, read = false;
  worker.onmessage = ({ data }: MessageEvent) => {
    const message = open(data) as FromWorker | undefined;
    if (exit || message === undefined) return;
    if (stopping && message?.kind === "draining") return terminateLater();
    // What is not exactly a goodbye is no message, which the scheduler says.
    const bye = message?.kind === "bye" ? readFromWorker(message) : undefined;
    if (bye?.kind !== "bye") {
      read = false;
      events.onMessage(message);
    } else if (!bye.uncaught) {
      said = { exitCode: bye.exitCode };
      leave(said);
    } else if (uncaught) leave(uncaught);
    else read = true;
  };
  worker.onmessageerror = () => {
    if (exit) return;
    events.onMessage({ kind: "unread" });
    close({ error: new Error("A message of the worker could not be read") }); // Deno (2.9) reads nothing after it
  };
  worker.onerror = (event) => {
    event.preventDefault(); // Deno (2.9) ends the whole program otherwise
    uncaught ??= { exitCode: 1, error: event.error ?? new Error(event.message) };
    if (read) leave(uncaught);
    else closeIn(LAST_WORDS, uncaught); // it has failed before it could say anything
  };
  // Bun only.
  worker.addEventListener("close", (event) => close(uncaught ?? said ?? { exitCode: (event as CloseEvent).code }));
  /** It ends by itself. Of Deno there is nothing more to come; on Bun, what it has printed. */
  const leave = (how: WorkerExit) => isDeno ? close(how) : closeIn(limit, how);
  return {
    claims: newClaims(),
    // Bun (1.4) reads all that it can write.
    send: toThread((message, transfer) => worker.postMessage(seal(message), transfer!), runtime === "deno"),
    clone: runtime === "deno" ? cloneForThread : structuredClone,
    keepAlive: (alive) => attempt(() => hold(alive)),
    stop,
    terminate: end,
    kill: end,
  };
}

/**
 * How to let the worker keep the program alive, or not. Bun has `ref` and `unref`. Deno (2.9) has them under a symbol
 * without a description, as one counting method (its `node:worker_threads` is made of it); where that is not found, a
 * worker that is idle for a while is ended instead.
 */
function holder(worker: Worker & BunWorker, end: () => void): (alive: boolean) => void {
  if (worker.ref && worker.unref) return (alive) => alive ? worker.ref!() : worker.unref!();
  const prototype = Object.getPrototypeOf(worker);
  const symbol = Object.getOwnPropertySymbols(prototype).find((symbol) =>
    symbol.description === undefined && typeof prototype[symbol] === "function" && prototype[symbol].length === 1
  );
  let held = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (alive) => {
    if (alive === held) return;
    held = alive;
    // deno-lint-ignore no-explicit-any
    if (symbol) return (worker as any)[symbol](alive);
    if (alive) clearTimeout(timer);
    else timer = setTimeout(end, IDLE_LIMIT);
  };
}
