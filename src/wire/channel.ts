// The seam between the scheduler and a backend, and between the worker loop and a backend.

import type { FromWorker, ToWorker } from "./messages.ts";

/** How a worker ended, as far as its runtime can tell. */
export interface WorkerExit {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly error?: unknown;
  /** It could not be stopped, and was left to itself. */
  readonly abandoned?: boolean | undefined;
}

/** What a backend tells the parent about one worker. */
export interface ChannelEvents {
  /** A message of ours came, or was forged. It is data from another program: nothing in it is trusted. */
  onMessage(message: FromWorker): void;
  /** The worker is gone. Called exactly once, after its last message. */
  onClose(exit: WorkerExit): void;
}

/** The parent's end of the line to one worker. */
export interface WorkerChannel {
  /** The claim words of the calls handed over, where memory can be shared. */
  readonly claims: SharedArrayBuffer | undefined;
  /**
   * Sends a message, which is the line's from then on, whatever becomes of it: it is not sent again. Throws, and sends
   * nothing: a DataCloneError when a value in it cannot cross, another error when the line is closed. Without a list of what is moved rather than with an
   * empty one, which a round trip on Deno (2.9) is 9 % slower for.
   */
  send(message: ToWorker, transfer?: Transferable[]): void;
  /** Copies a value as the line would, or throws when it cannot cross. */
  clone(value: unknown): unknown;
  /** Lets the worker keep the program alive, or not. */
  keepAlive(alive: boolean): void;
  /** Ends an idle worker, in order. */
  stop(): unknown;
  /** Ends the worker now: SIGTERM to a process. */
  terminate(): unknown;
  /** Ends the worker now, whatever it does: SIGKILL to a process. */
  kill(): unknown;
}

/** The line to a worker that was refused at once, by the operating system or for lack of a permission. */
export const neverStarted: WorkerChannel = {
  claims: undefined,
  send() {},
  clone: (value) => value,
  keepAlive() {},
  stop() {},
  terminate() {},
  kill() {},
};

/** The worker's end. */
export interface ParentChannel {
  /** As the parent's end. */
  send(message: FromWorker, transfer?: Transferable[]): void;
}

/** Joins the worker's end to the loop: gets the receiver of the parent's messages, returns how to answer. */
export type Open = (onMessage: (message: ToWorker) => void) => ParentChannel;
