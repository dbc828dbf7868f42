// Both ends of the line between the program and one worker. A backend makes the parent's end, WorkerChannel, and the
// worker's end, ParentPort; the scheduler and the worker's loop know nothing else of a backend.

import { atTickEnd } from "./blocking.ts";
import type { ParentClaims } from "./claims.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { Page } from "./page_claims.ts";
import type { Place } from "./place.ts";

/**
 * How long an idle worker that is asked to end may take, in milliseconds: leftovers of a task can block its event loop, and it
 * may have a finalizer to run.
 */
export const STOP_LIMIT = 5000;

/** How a worker ended, as far as its runtime can tell. */
export interface WorkerExit {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly error?: unknown;
  /** The worker cannot be stopped; it goes on, and nobody listens to it. */
  readonly abandoned?: boolean | undefined;
  /** It has been waited for in vain, for so long that more workers of its kind are not tried. */
  readonly inVain?: boolean | undefined;
}

/** What a backend tells the parent about one worker. */
export interface ChannelEvents {
  /** A sealed message came. A task may have forged it: it is data from another program, and nothing in it is trusted. */
  onMessage(message: FromWorker): void;
  /** The worker is gone. Called exactly once, after its last message. */
  onClose(exit: WorkerExit): void;
}

/** The parent's end of the line to one worker. */
export interface WorkerChannel {
  /** The claims of the calls handed over; `undefined` where this end and the worker can share nothing. */
  readonly claims: ParentClaims | undefined;
  /** Why a blocking wait cannot read it; absent if it can. */
  readonly refusesToBlock?: string | undefined;
  /**
   * Sends a message, which belongs to the line from then on and is not sent again, even after an error. When it throws, it
   * has sent nothing: a DataCloneError means that a value cannot cross, any other error that the line is closed. Callers
   * omit `transfer` when nothing is moved: with an empty list, a round trip on Deno (2.9) is 9 % slower.
   */
  send(message: ToWorker, transfer?: Transferable[]): void;
  /**
   * The program has heard reports, in this turn of the event loop; lines that can hold a task which is faster have this.
   *
   * @param messages How many messages with reports.
   * @param waiting Whether others have come, and wait until the next turn.
   */
  heard?(messages: number, waiting: boolean): void;
  /** Somebody waits for what the worker sends next; lines that can look for it have this. */
  expect?(): void;
  /** Copies a value as the line would, or throws when it cannot cross. */
  clone(value: unknown): unknown;
  /** Sets whether the worker keeps the program alive. */
  keepAlive(alive: boolean): void;
  /**
   * Ends an idle worker in order: its output still arrives. One that does not end within {@linkcode STOP_LIMIT} is killed.
   *
   * @param finalizes Whether the worker runs a finalizer first.
   */
  stop(finalizes: boolean): unknown;
  /** Ends the worker now: SIGTERM to a process. */
  terminate(): unknown;
  /** Ends the worker now, even if it ignores everything else: SIGKILL to a process. */
  kill(): unknown;
}

/** The worker's end of the line to the parent, with what differs between the kinds of worker. */
export interface ParentPort {
  /** What code in this worker can know about it. */
  readonly place: Place;
  /** Whether the program runs in this thread, too: it gets its turn between two calls. */
  readonly sharesThread?: boolean;
  /**
   * Starts to pass the parent's messages to `onMessage`. Called once.
   *
   * @param onMessage Takes all messages but those that end the worker.
   * @param onStop Called when the worker is asked to end in order; it does when what this returns has settled.
   */
  receive(onMessage: (message: ToWorker) => void, onStop: () => Promise<void> | undefined): void;
  /** Sends a message, under the same terms as {@linkcode WorkerChannel.send}. */
  send(message: FromWorker, transfer?: Transferable[]): void;
  /** The loop is about to send what the parent answers soon, and to {@linkcode look}; lines that can look have both. */
  attend?(): void;
  /** Passes on what the parent has sent, or sends within a moment; returns whether there was something. */
  look?(): boolean;
  /** Copies a value as the line would, or throws when it cannot cross. */
  clone(value: unknown): unknown;
  /** Opens the page that it shares with the parent, by the number of its descriptor. Only processes have one. */
  openPage?(descriptor: number): Page;
  /** Bytes of memory that this worker uses. */
  memory(): number;
  /** Keeps the worker running when nobody catches this error. */
  excuse(error: unknown): void;
  /** Calls `fn` when the worker is about to end by its own will. `uncaught`: an error, which the task may still handle. */
  beforeEnd(fn: (exitCode: number, uncaught?: boolean) => void): void;
}

/**
 * The channel of a worker that could not be started: the operating system refused, or a permission is missing.
 *
 * @param events Told of the error soon, but not before this function returns.
 * @param error Why it was refused.
 */
export function neverStarted(events: ChannelEvents, error: unknown): WorkerChannel {
  atTickEnd(() => events.onClose({ error }));
  return {
    claims: undefined,
    send() {},
    clone: (value) => value,
    keepAlive() {},
    stop() {},
    terminate() {},
    kill() {},
  };
}
