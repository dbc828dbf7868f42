// Starts a thread on Deno and Bun, and is the parent's end of its line.

import type { Backend } from "../executor/backend.ts";
import { CALLS_PER_WORKER } from "../wire/claims.ts";
import type { Exit, WorkerChannel } from "../wire/channel.ts";
import type { FromWorker } from "../wire/messages.ts";

/** Bun's additions to Worker. */
interface BunWorker {
  ref?(): void;
  unref?(): void;
}

/** How long Deno has a worker stay up with nothing to do where it can only be ended, in milliseconds. */
const IDLE_LIMIT = 500;

/** Starts a thread. */
export const start: Backend["start"] = (name, { memoryLimit, permissions }, events) => {
  let closed = false;
  const close = (exit: Exit) => {
    if (closed) return;
    closed = true;
    hold(true, 0);
    worker.terminate();
    events.onClose(exit);
  };
  const end = () => {
    worker.terminate();
    // Deno has no event for it. Later, as on the others: nobody is told in the middle of their own call.
    queueMicrotask(() => close({}));
  };
  const worker: Worker & BunWorker = new Worker(new URL("./entry.web.js", import.meta.url), { type: "module", name });
  worker.onmessage = (event: MessageEvent<FromWorker>) => {
    if (closed) return;
    if (event.data?.kind === "bye") close({ exitCode: event.data.exitCode });
    else events.onMessage(event.data);
  };
  worker.onmessageerror = () => close({ error: new Error("A message of the worker could not be read") });
  worker.onerror = (event) => {
    event.preventDefault(); // Deno (2.9) ends the whole program otherwise
    close({ exitCode: 1, error: event.error ?? new Error(event.message) });
  };
  worker.addEventListener("close", (event) => close({ exitCode: (event as CloseEvent).code })); // Bun only
  const hold = holder(worker, end);
  return {
    claims: new SharedArrayBuffer(CALLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT),
    send: (message, transfer) => worker.postMessage(message, transfer),
    keepAlive: (alive) => hold(alive, IDLE_LIMIT),
    stop: end,
    terminate: end,
    kill: end,
  } satisfies WorkerChannel;
};

/**
 * How to let the worker keep the program alive, or not. Bun has `ref` and `unref`. Deno (2.9) has them under a symbol
 * without a description, as one counting method (see the `node:worker_threads` of Deno, which is made of it); where that
 * is not found, a worker that is idle for a while is ended instead.
 */
function holder(worker: Worker & BunWorker, end: () => void): (alive: boolean, idleLimit: number) => void {
  if (worker.ref && worker.unref) return (alive) => alive ? worker.ref!() : worker.unref!();
  const prototype = Object.getPrototypeOf(worker);
  const symbol = Object.getOwnPropertySymbols(prototype).find((symbol) =>
    symbol.description === undefined && typeof prototype[symbol] === "function" && prototype[symbol].length === 1
  );
  let held = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (alive, idleLimit) => {
    if (alive === held) return;
    held = alive;
    // deno-lint-ignore no-explicit-any
    if (symbol) return (worker as any)[symbol](alive);
    if (alive) clearTimeout(timer);
    else timer = setTimeout(end, idleLimit);
  };
}
