// Sends a worker the calls that were handed to it: many in one message (wire/calls.ts), or each by itself after a message
// could not be sent.
//
// Getters of arguments run while a message is sent, and may call in: they can submit, cancel and abort calls.

import type { Call } from "../executor/call.ts";
import { CallWriter } from "../wire/calls.ts";
import type { WorkerChannel } from "../wire/channel.ts";
import type { ToWorker } from "../wire/messages.ts";
import { CALL_MASK } from "../wire/claims.ts";
import type { HeldCalls } from "./held_calls.ts";

/** A message that could not be sent, and how many calls it had. */
interface FailedSend {
  readonly reason: unknown;
  readonly count: number;
}

/** Told of a call that cannot be sent, before its neighbours are; it may still withdraw those. */
export type OnUnsendable = (call: Call, reason: unknown) => void;

/** What leaves for one worker. */
export class Outgoing {
  /** Nothing can be sent any more. */
  isBroken = false;
  readonly #channel: WorkerChannel;
  readonly #calls: HeldCalls;
  readonly #writer = new CallWriter();
  #isSending = false;
  readonly #afterwards: (() => void)[] = [];

  constructor(channel: WorkerChannel, calls: HeldCalls) {
    this.#channel = channel;
    this.#calls = calls;
  }

  /**
   * Sends what was handed over since the last time.
   *
   * @param exact Whether results must not wait for each other, and a process must say what it begins.
   * @param onUnsendable Told of each call that cannot be sent. The others are sent, unless the line {@linkcode isBroken}.
   */
  send(exact: boolean, onUnsendable: OnUnsendable): void {
    const calls = this.#calls;
    this.#isSending = true;
    while (calls.sent < calls.next && !this.isBroken) {
      const failed = this.#sendTogether(calls.next, exact);
      if (failed) this.#sendEach(failed, exact, onUnsendable);
    }
    this.#endSending();
  }

  /** Calls `fn` now, or after the calls that are being sent: a getter of theirs may have led to it. */
  afterCalls(fn: () => void): void {
    if (this.#isSending) this.#afterwards.push(fn);
    else fn();
  }

  /**
   * Sends a message with values, whose getters may lead to others: those are sent after it.
   *
   * @throws {DOMException} a DataCloneError, when a value cannot cross.
   */
  post(message: ToWorker, transfer: Transferable[] | undefined): void {
    this.#isSending = true;
    try {
      this.#channel.send(message, transfer);
    } catch (reason) {
      if (isCloneError(reason) || this.#canSend()) throw reason; // a getter may throw anything
      // The line is closed: the channel is about to say so, and the call is settled then.
    } finally {
      this.#endSending();
    }
  }

  #endSending(): void {
    this.#isSending = false;
    for (const fn of this.#afterwards.splice(0)) fn();
  }

  /** Sends calls below `last`, as many as can share a message; returns what has failed. */
  #sendTogether(last: number, exact: boolean): FailedSend | undefined {
    const calls = this.#calls;
    let count = last - calls.sent;
    calls.written = last;
    try {
      const letter = this.#writer.write(calls.ring, calls.sent, last, exact);
      count = letter.end - calls.sent;
      this.#channel.send(letter.message, letter.transfer);
      this.#writer.sent(letter);
      calls.sent = letter.end;
    } catch (reason) {
      this.isBroken = !isCloneError(reason) && !this.#canSend();
      return { reason, count };
    } finally {
      calls.written = calls.sent;
    }
  }

  /** After a message has failed, one for each call that is left. A call that cannot be sent leaves its number to the next. */
  #sendEach(failed: FailedSend, exact: boolean, onUnsendable: OnUnsendable): void {
    const calls = this.#calls;
    const start = calls.sent, last = calls.next;
    for (let number = start; number < last; number++) {
      const call = calls.ring[number & CALL_MASK];
      if (!call) continue; // it was withdrawn
      calls.ring[number & CALL_MASK] = undefined;
      calls.place(call, calls.sent);
      // A call that was alone in its message is not sent twice: what it moves may be gone.
      const failure = number === start && failed.count === 1 ? failed : this.#sendTogether(call.number + 1, exact);
      if (this.isBroken) return;
      if (!failure || !calls.has(call)) continue; // it was sent, or withdrawn by a getter of its own
      calls.forget(call);
      onUnsendable(call, failure.reason);
    }
    calls.next = calls.sent;
  }

  /** Whether the line takes a message with nothing in it. */
  #canSend(): boolean {
    try {
      this.#channel.send({ kind: "run", tasks: undefined, calls: [], exact: false, attempt: undefined });
      return true;
    } catch {
      return false;
    }
  }
}

function isCloneError(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "DataCloneError";
}
