// Starts a thread on Deno and Bun, and is the parent's end of its line.

import type { Backend } from "../executor/backend.ts";
import { runtime } from "../runtime.ts";
import { CALLS_PER_WORKER } from "../wire/claims.ts";
import { type Exit, neverStarted } from "../wire/channel.ts";
import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { cloneForThread, toThread } from "../wire/sendable.ts";

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
export const start: Backend["start"] = (name, { permissions }, events) => {
  let worker: Worker & BunWorker;
  try {
    worker = new Worker(new URL("./entry.web.js", import.meta.url), {
      type: "module",
      name,
      ...(permissions !== "inherit" && { deno: { permissions } }),
    });
  } catch (error) {
    queueMicrotask(() => events.onClose({ error }));
    return neverStarted;
  }
  let exit: Exit | undefined;
  const close = (how: Exit) => {
    if (exit) return;
    exit = how;
    clearTimeout(goodbye);
    worker.terminate();
    hold(false); // a thread of Deno in a synchronous loop goes on, and would keep the program alive for ever
    events.onClose(how);
  };
  let goodbye: ReturnType<typeof setTimeout> | undefined;
  // Deno (2.9) cannot stop a thread in a synchronous loop and does not say whether it has stopped any other: so the worker
  // is asked, and what does not answer is abandoned. Bun (1.4) stops it, whatever it does, and says so.
  const end = () => {
    if (runtime === "deno") worker.postMessage({ kind: "stop" } satisfies ToWorker);
    else worker.terminate();
    goodbye ??= setTimeout(() => close({ abandoned: true }), GOODBYE_LIMIT[runtime as "deno" | "bun"]);
  };
  const hold = holder(worker, end);
  // An error that nobody has caught, and whether all was read that the worker sent before it.
  let uncaught: Exit | undefined, read = false;
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (exit) return;
    if (data?.kind !== "bye") {
      read = false;
      events.onMessage(data);
    } else if (!data.uncaught) close({ exitCode: data.exitCode });
    else if (uncaught) close(uncaught);
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
    if (read) close(uncaught);
    else goodbye ??= setTimeout(close, LAST_WORDS, uncaught); // it has failed before it could say anything
  };
  worker.addEventListener("close", (event) => close(uncaught ?? { exitCode: (event as CloseEvent).code })); // Bun only
  return {
    claims: new SharedArrayBuffer(CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT),
    // Bun (1.4) reads all that it can write.
    send: toThread((message, transfer) => worker.postMessage(message, transfer!), runtime === "deno"),
    clone: runtime === "deno" ? cloneForThread : structuredClone,
    keepAlive: hold,
    stop: end,
    terminate: end,
    kill: end,
  };
};

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
