// Workers that start from a file of the user's own, as build tools need it: the options `worker` and `entry`.

import { startTimer } from "../future/timer.ts";
import { checkFunction, refuse, refuseKind } from "../wire/check.ts";
import type { ChannelEvents, WorkerChannel } from "../wire/channel.ts";

/** A worker that the user has started: a `Worker` of the platform, or of `node:worker_threads`. */
export interface OwnWorker {
  /** Sends a message to it. */
  // deno-lint-ignore no-explicit-any
  postMessage(message: any): void;
  /** Ends it. */
  terminate(): unknown;
}

/** How long a worker has to answer for the first time, in milliseconds. It loads modules, but nothing else takes time. */
const ANSWER_LIMIT = 30_000;

/** Checks the option `worker`. */
export function checkWorker(
  action: string,
  { worker, permissions }: { worker?: unknown; permissions?: unknown },
): void {
  checkFunction(action, "worker", worker);
  if (worker === undefined || permissions === undefined || permissions === "inherit") return;
  refuseKind(action, "permissions", "left out beside 'worker', which starts workers with their own", permissions);
}

/** Checks the option `entry`. */
export function checkEntry(action: string, entry: unknown): void {
  if (entry !== undefined && !(entry instanceof URL && entry.protocol === "file:")) {
    refuseKind(action, "entry", 'a file: URL, such as new URL("./my_worker.ts", import.meta.url)', entry);
  }
}

/** What the file of a worker has to do. */
const ADVICE = 'its file has to import "@concurrent/futures/worker" first, then its tasks';

/**
 * Opens the line to a worker whose file may not serve this program: nothing would ever come of that.
 *
 * @param events Where the channel reports.
 * @param open Makes the channel, which reports to the events that it is given.
 */
export function expectAnswer<Channel extends WorkerChannel>(
  events: ChannelEvents,
  open: (events: ChannelEvents) => Channel,
): Channel {
  let silent = true;
  let error: Error | undefined;
  let inVain = false;
  const timer = startTimer(ANSWER_LIMIT, () => {
    inVain = true;
    error = new Error(`It did not answer within ${ANSWER_LIMIT / 1000} s: ${ADVICE}`);
    channel.kill();
  });
  const channel = open({
    onMessage(message) {
      silent = false;
      timer.clear();
      events.onMessage(message);
    },
    onClose(exit) {
      timer.clear();
      if (silent && exit.error === undefined) error ??= new Error(`It ended without an answer: ${ADVICE}`);
      events.onClose(error ? { ...exit, error, inVain } : exit);
    },
  });
  return channel;
}

/** Threads that serve an executor. */
const taken = new WeakSet<object>();

/**
 * Checks what the option `worker` has returned.
 *
 * @param WorkerClass The class that it has to be of.
 * @param where Where that class is from.
 */
export function assertWorker<T extends object>(
  worker: object,
  WorkerClass: new (...args: never[]) => T,
  where: string,
): T {
  if (!(worker instanceof WorkerClass)) refuse("start a thread", `'worker' must return a Worker${where}`, worker);
  if (taken.has(worker)) throw new TypeError("Cannot start a thread as 'worker' must return a new Worker each time");
  taken.add(worker);
  return worker;
}
