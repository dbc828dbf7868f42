// The backend without workers: the worker's loop runs in the program's own thread. Messages are copied as on the line to a
// thread, and each arrives in a turn of the event loop of its own.

import { BrokenExecutor } from "../future/errors.ts";
import type { Backend } from "../pool/backend.ts";
import { LONGEST_TIMER, startTimer } from "../future/timer.ts";
import { type ChannelEvents, STOP_LIMIT, type WorkerChannel } from "../wire/channel.ts";
import { WORD_CLAIMS_BYTES, WordClaims } from "../wire/claims.ts";
import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { newPlace } from "../wire/place.ts";
import { cloneForThread, toThread } from "../wire/sendable.ts";
import { nextTurn } from "../wire/turn.ts";
import { serve } from "../worker/main.ts";
import { type Finder, tasksHere } from "./tasks_here.ts";

/** The backend without workers. */
export const inlineBackend: Backend = {
  name: "InlineExecutor",
  Broken: BrokenExecutor,
  mostWorkers: 1,
  refusesToBlock: "calls of an InlineExecutor run in this thread, in turns of the event loop",
  start: (_name, _options, events) => startLoop(events),
};

function startLoop(events: ChannelEvents): WorkerChannel {
  /** It has ended: nothing is sent any more, and the loop begins no call. */
  let ended = false;
  let toLoop: (message: ToWorker) => void = () => {};
  let finder: Finder = () => undefined;
  let endLoop: (exitCode: number) => void = () => {};
  let onStop: () => Promise<void> | undefined = () => undefined;
  const hold = new Hold();
  hold.set(true);
  const end = () => {
    if (ended) return;
    ended = true;
    hold.set(false);
    // A task that awaits something cannot be stopped.
    const abandoned = finder() !== undefined;
    endLoop(0);
    // After what the loop has sent.
    nextTurn(() => outside(() => events.onClose(abandoned ? { abandoned } : { exitCode: 0 })));
  };
  /** Ends when the finalizer has run, or its time is up. */
  const stop = () =>
    nextTurn(() => {
      const last = ended ? undefined : tasksHere.run(finder, onStop);
      if (!last) return end();
      const timer = startTimer(STOP_LIMIT, end);
      void last.then(() => {
        timer.clear();
        nextTurn(end); // after what the finalizer has sent
      });
    });
  const sendToParent = copying<FromWorker>((message) => outside(() => events.onMessage(message)));
  const sendToLoop = copying<ToWorker>((message) => ended || outside(() => toLoop(message)));
  serve({
    // Not the program's place, which is no worker, and may use executors wherever it likes.
    place: Object.assign(newPlace(false, true), {
      follow: <T>(isTask: boolean, fn: () => T) => tasksHere.run(isTask ? finder : undefined, fn),
      inTask: () => tasksHere.isIn(finder),
    }),
    sharesThread: true,
    receive(onMessage, whenStopped) {
      toLoop = onMessage;
      onStop = whenStopped;
    },
    send: (message, transfer) => ended || sendToParent(message, transfer),
    clone: cloneForThread,
    memory: () => 0,
    excuse() {},
    beforeEnd: (fn) => endLoop = fn,
  }, (current) => finder = current);
  return {
    // Both ends are here, and none of them needs memory that can be shared, which a page may not have.
    claims: new WordClaims(new ArrayBuffer(WORD_CLAIMS_BYTES)),
    send: (message, transfer) => ended || sendToLoop(message, transfer),
    clone: cloneForThread,
    keepAlive: (alive) => hold.set(alive && !ended),
    stop,
    terminate: end,
    kill: end,
  };
}

/** Runs what belongs to no task, though a task may have caused it. */
function outside(fn: () => void): void {
  tasksHere.run(undefined, fn);
}

/** Makes one direction of the line. What it throws at the sender is what the line to a thread throws. */
function copying<M extends ToWorker | FromWorker>(onArrival: (message: M) => void) {
  return toThread<M>((message, transfer) => {
    const copy = copyOf(message, transfer);
    nextTurn(() => onArrival(copy));
  }, true);
}

function copyOf<M extends ToWorker | FromWorker>(message: M, transfer: Transferable[] | undefined): M {
  if (message.kind !== "init") return structuredClone(message, transfer && { transfer });
  const { claims } = message; // one piece of memory for both ends
  return { ...structuredClone({ ...message, claims: undefined }), claims };
}

/** Keeps the program alive while calls are not done, as a worker does. */
class Hold {
  #timer: ReturnType<typeof setInterval> | undefined;

  set(alive: boolean): void {
    if (alive) this.#timer ??= setInterval(() => {}, LONGEST_TIMER);
    else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
