// What the task that runs has reported. Each report leaves at once while they are rare; of many, one message leaves in each
// millisecond. All of them leave before the answer of their call.

import type { ParentPort } from "../wire/channel.ts";
import { assertNotLocal, transfersOf } from "../wire/marks.ts";
import { MOST_REPORTS } from "../wire/messages.ts";
import { isSimple } from "../wire/parts.ts";
import { nextTurn } from "../wire/turn.ts";

/** Messages that may leave one right after the other: what a task reports before it blocks its worker is not late then. */
const BURST = 32;

/** After a burst, the time between two messages, in milliseconds. */
const INTERVAL = 1;

/** Sends what tasks report. */
export class Reports {
  readonly #port: ParentPort;
  /** The call that runs, if somebody listens to it. */
  #call: number | undefined;
  /** Its reports that are not sent: none of them is an object. */
  #values: unknown[] = [];
  #flushesSoon = false;
  /** How many messages may leave right now, and when that was true. */
  #allowed = BURST;
  #at = 0;

  constructor(port: ParentPort) {
    this.#port = port;
  }

  /** A call begins to which somebody listens. */
  begin(call: number): void {
    this.#call = call;
  }

  /** The call has ended: what its task has left behind reports in vain. */
  end(): void {
    if (this.#call === undefined) return;
    this.flush();
    this.#call = undefined;
  }

  /**
   * The task of a call reports something.
   *
   * @param call The call. Nothing happens when it has ended, or nobody listens.
   * @param value Any value.
   * @throws {DOMException} a DataCloneError, when the value cannot cross.
   * @throws whatever a getter of the value throws.
   * @throws {Error} when the worker is being ended: where nothing else can stop a task in a loop, this does.
   */
  add(call: number, value: unknown): void {
    if (call !== this.#call) return;
    if (!isSimple(value)) return this.#send(call, value);
    this.#values.push(value);
    if (this.#values.length === MOST_REPORTS || this.#isAllowed()) this.#flush();
    else this.#flushSoon();
  }

  /** An object is sent by itself, so that an error is its own, and now: the task may change it next. */
  #send(call: number, value: unknown): void {
    this.#flush();
    assertNotLocal(value);
    this.#port.send({ kind: "reports", call, values: [value] }, transfersOf(value)?.slice());
  }

  #isAllowed(): boolean {
    const now = performance.now();
    this.#allowed = Math.min(BURST, this.#allowed + (now - this.#at) / INTERVAL);
    this.#at = now;
    if (this.#allowed < 1) return false;
    this.#allowed--;
    return true;
  }

  #flushSoon(): void {
    if (this.#flushesSoon) return;
    this.#flushesSoon = true;
    nextTurn(() => {
      this.#flushesSoon = false;
      this.flush();
    });
  }

  #flush(): void {
    const values = this.#values;
    if (values.length === 0) return;
    this.#values = [];
    this.#port.send({ kind: "reports", call: this.#call!, values });
  }

  /** Sends what has been reported. */
  flush(): void {
    try {
      this.#flush();
    } catch {
      // The line is closed: the parent has ended this worker, and knows.
    }
  }
}
