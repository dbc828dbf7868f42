// Starts a thread on Deno, on Bun or in a browser, and makes the parent's end of its line.

import type { Backend, WorkerOptions } from "../pool/backend.ts";
import { runtime } from "../runtime.ts";
import { findEntry, WEB_LINES } from "../entry.ts";
import { assertFolder } from "../flags.ts";
import { startTimer, type Timer } from "../future/timer.ts";
import { blockingHere, TOO_EARLY } from "../wire/blocking.ts";
import { WordClaims } from "../wire/claims.ts";
import { type ChannelEvents, neverStarted, STOP_LIMIT, type WorkerChannel, type WorkerExit } from "../wire/channel.ts";
import { readFromWorker } from "../wire/messages.ts";
import { seal } from "../wire/seal.ts";
import { cloneForThread, toThread } from "../wire/sendable.ts";
import { EntryText, openWithText } from "../pool/entry_text.ts";
import { expectAnswer } from "../pool/own_worker.ts";
import { ParentLine } from "./line_parent.ts";
import { polledPort } from "./polled_port.ts";
import { startOwn } from "./own_thread.ts";
import { checkPermissions, grant } from "./permissions.ts";

/** Bun's additions to Worker. */
interface BunWorker {
  ref?(): void;
  unref?(): void;
}

/** Where Deno has no ref and unref: idle time after which a worker is ended, in milliseconds. */
const IDLE_LIMIT = 500;

/** How long a worker has to end before it counts as one that cannot be stopped, in milliseconds. Browsers stop any at once. */
const GOODBYE_LIMIT = { deno: 100, bun: STOP_LIMIT, browser: 0 };

/** How long the last messages of a worker that has failed may take to come, in milliseconds. */
const LAST_WORDS = 100;

/** What a browser's error without a message means: mostly that a build tool has moved this package, and not the worker's file. */
const NOT_LOADED =
  "The worker's file could not be loaded, and the page's console says why. In a page that a build tool " +
  "makes, start workers from a file of your own: the option 'worker'";

const text = new EntryText(() => import("./entry.web.text.ts"));

/** Starts a thread. */
export const start: Backend["start"] = (name, options, events) => startThread(Worker, name, options, events);

/** Starts a thread with the platform's `Worker`, or with what a test passes in its place. */
export function startThread(
  WorkerClass: typeof Worker,
  name: string,
  { permissions, worker: own }: WorkerOptions,
  events: ChannelEvents,
): WorkerChannel {
  let worker: Worker | undefined;
  try {
    assertFolder();
    if (own) {
      const thread = worker = startOwn(own, WorkerClass);
      return expectAnswer(events, (events) => connect(thread, events));
    }
    // Build tools look for this expression. They would read options here, and understand only some.
    const entry = findEntry(
      "../thread/entry.web.js",
      () => new URL("../thread/entry.web.js", import.meta.url),
      import.meta.url,
    );
    worker = new WorkerClass(entry ?? `data:text/javascript,${encodeURIComponent(WEB_LINES)}`, {
      ...(runtime === "deno" && permissions !== "inherit" &&
        { deno: { permissions: grant(checkPermissions("start a worker", permissions)) } }),
      type: "module",
      name,
    });
    if (entry) return connect(worker, events);
    const thread = worker, send = (message: object) => thread.postMessage(message);
    return openWithText(text, send, events, (events) => connect(thread, events));
  } catch (error) {
    worker?.terminate();
    return neverStarted(events, error);
  }
}

function connect(worker: Worker & BunWorker, events: ChannelEvents): WorkerChannel {
  const limit = GOODBYE_LIMIT[runtime as keyof typeof GOODBYE_LIMIT];
  let exit: WorkerExit | undefined;
  let timer: Timer | undefined, finalizing: Timer | undefined;
  const close = (how: WorkerExit) => {
    if (exit) return;
    exit = how;
    timer?.clear();
    finalizing?.clear();
    mail?.close();
    line.refuseReports();
    attempt(() => worker.terminate());
    attempt(() => hold(false)); // a thread of Deno in a synchronous loop goes on, and would keep the program alive
    line.end(() => events.onClose(how));
  };
  /** Does something with the worker; gives it up when the runtime throws. */
  const attempt = (action: () => void) => {
    try {
      action();
    } catch (error) {
      close({ error, abandoned: true });
    }
  };
  const closeIn = (delay: number, how: WorkerExit) => timer ??= startTimer(delay, () => close(how));
  const terminate = () => {
    mail?.end();
    timer?.clear();
    timer = undefined;
    attempt(() => worker.terminate());
    closeIn(limit, { abandoned: true });
  };
  const terminateLater = () => {
    timer?.clear();
    timer = startTimer(limit, terminate);
  };
  /** Asks the worker to end by itself. */
  const ask = (kind: "stop" | "end") => attempt(() => line.send({ kind }));
  // Deno (2.9) cannot stop a thread in a synchronous loop, and does not tell whether it has stopped any other: so it asks the
  // worker to end, and abandons one that does not answer. Bun (1.4) stops any thread and tells when it has, but loses the
  // output that is under way: so it asks an idle worker first.
  // A browser stops any thread without telling, and loses nothing.
  const isDeno = runtime === "deno", isBun = runtime === "bun";
  let stopping = false;
  const askOrAbandon = () => {
    line.refuseReports();
    ask("end");
    closeIn(limit, { abandoned: true });
  };
  const askOrTerminate = () => {
    stopping = true;
    ask("stop");
    terminateLater();
  };
  const end = isDeno ? askOrAbandon : isBun ? terminate : () => close(said ?? {});
  const stop = (finalizes: boolean) => {
    if (isBun) return askOrTerminate();
    if (!finalizes) return end();
    ask("stop");
    finalizing ??= startTimer(STOP_LIMIT, end);
  };
  const hold = runtime === "browser" ? () => {} : holder(worker, end);
  // Its goodbye; an error that nobody has caught; and whether everything that the worker sent before that error was read.
  let said: WorkerExit | undefined, uncaught: WorkerExit | undefined, read = false;
  // In a blocking wait: nothing tells that a thread of Bun has ended.
  const mail = polledPort(() => line, () => close(uncaught ?? said ?? {}));
  const line = new ParentLine({
    // Bun (1.4) reads whatever it can write. A second argument, even `undefined`, takes Deno (2.9) 1 ms when it is the first in
    // a program.
    post: toThread((message, transfer) => {
      if (transfer) worker.postMessage(seal(message), transfer);
      else worker.postMessage(seal(message));
    }, !isBun),
    wake: (message) => attempt(() => worker.postMessage(message)),
  }, (message) => {
    if (stopping && message?.kind === "draining") return terminateLater();
    // A malformed goodbye is passed on like any message: the scheduler refuses it.
    const bye = message?.kind === "bye" ? readFromWorker(message) : undefined;
    if (bye?.kind !== "bye") {
      read = false;
      events.onMessage(message);
    } else if (!bye.uncaught) {
      said = { exitCode: bye.exitCode };
      leave(said);
    } else if (uncaught) leave(uncaught);
    else {
      read = true;
      // A blocking wait never sees the error itself.
      if (mail) startTimer(LAST_WORDS, () => read && blockingHere()!.depth > 0 && close({ exitCode: 1 }), false);
    }
  }, mail?.replyTo);
  worker.onmessage = ({ data }: MessageEvent) => line.take(data);
  worker.onmessageerror = () => {
    line.take(seal({ kind: "unread" }));
    close({ error: new Error("A message from the worker could not be read") }); // Deno (2.9) reads nothing after it
  };
  worker.onerror = (event) => {
    event.preventDefault(); // Deno (2.9) ends the whole program otherwise
    // A browser does not say why a file could not be loaded: the page's console does.
    const error = event.error ?? new Error(event.message ?? NOT_LOADED);
    uncaught ??= { exitCode: 1, error };
    if (read) leave(uncaught);
    else closeIn(LAST_WORDS, uncaught); // its goodbye is still to come, or it failed too early for one
  };
  // Bun alone emits it.
  worker.addEventListener("close", (event) => close(uncaught ?? said ?? { exitCode: (event as CloseEvent).code }));
  /** The worker ends by itself. Nothing more comes from it; on Bun, its output does. */
  const leave = (how: WorkerExit) => {
    mail?.end();
    if (isBun) closeIn(limit, how);
    else close(how);
  };
  return {
    // A page has memory to share only if it is isolated from other origins.
    claims: typeof SharedArrayBuffer === "function" ? new WordClaims() : undefined,
    refusesToBlock: mail ? undefined : TOO_EARLY,
    send: (message, transfer) => line.send(message, transfer),
    heard: (messages) => line.heard(messages),
    expect: () => line.expect(),
    clone: isBun ? structuredClone : cloneForThread,
    keepAlive: (alive) =>
      attempt(() => {
        hold(alive);
        mail?.keepAlive(alive);
      }),
    stop,
    terminate: end,
    kill: end,
  };
}

/**
 * Makes the function that sets whether the worker keeps the program alive. Bun has `ref` and `unref`. Deno (2.9) has one
 * counting method for both, under a symbol without a description (its `node:worker_threads` uses it); where that is not
 * found, a worker that is idle for a while is ended instead.
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
