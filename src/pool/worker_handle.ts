// One worker as the scheduler sees it: the calls that it holds, by number.
//
//   #first           #sent            #next
//     |  the worker has  |  handed over   |  free
//     v                  v                v
//   --+------------------+----------------+--
//
// A call gets the next number when it is handed over, and is the worker's from then on: it can be taken back, or counted, at
// any time, also by user code that runs while it is being sent. Numbers of calls that cannot be sent are used again.

import type { WorkerChannel, WorkerExit } from "../wire/channel.ts";
import { CALL_MASK, CALLS_PER_WORKER, hasBegun, offer, withdraw } from "../wire/claims.ts";
import { toFailure } from "../wire/failure.ts";
import type { Call, CallHolder } from "../executor/call.ts";
import { assertInvariant } from "../invariant.ts";
import { type CallRing, CallWriter } from "../wire/calls.ts";

/** starting -> ready -> leaving -> (gone); a worker that is lost skips some. */
export type WorkerState = "starting" | "ready" | "leaving";

/** A message that could not be sent, and how many calls it had. */
interface FailedSend {
  readonly reason: unknown;
  readonly count: number;
}

/** A call of a worker that is gone. */
export interface LeftCall {
  readonly call: Call;
  readonly started: boolean | "unknown";
}

/** One worker. */
export class WorkerHandle implements CallHolder {
  readonly name: string;
  readonly channel: WorkerChannel;
  state: WorkerState = "starting";
  /** Calls that it holds and has not answered; those taken back do not count. */
  held = 0;
  /** How long those are expected to take, in milliseconds. */
  ahead = 0;
  /** Calls that it may still be given before it retires. */
  remaining: number;
  /** Asked to give back what it has not begun, and has not yet. */
  recalling = false;
  /** Whether it waits for a call. */
  idle = false;
  /** When it fell idle, by `performance.now()`. */
  idleSince = 0;
  /** Nothing can be sent to it any more. */
  unreachable = false;
  /** Why it was ended as one that nobody can rely on, and what it was then. */
  distrusted: { readonly was: WorkerState; readonly error: Error } | undefined = undefined;
  /** The number of the oldest call without an answer, of the next to be sent, and of the next to be handed over. */
  #first = 0;
  #sent = 0;
  #next = 0;
  /** The number after the last call that is sent, or is being sent at the moment. */
  #written = 0;
  /** The youngest call that it has said to begin. */
  #announced = -1;
  /** The first call that it had not begun when it said goodbye; `uncaught`: by an error, and it may have gone on. */
  #farewell: { readonly unbegun: number; readonly uncaught: boolean } | undefined;
  readonly #calls: CallRing<Call> = [];
  readonly #words: Int32Array | undefined;
  readonly #writer = new CallWriter();
  #alive = true;
  /** Calls are being sent: getters of their arguments may call in. */
  #isSending = false;
  readonly #unspoken: (() => void)[] = [];

  constructor(name: string, channel: WorkerChannel, remaining: number) {
    this.name = name;
    this.channel = channel;
    this.remaining = remaining;
    if (channel.claims) this.#words = new Int32Array(channel.claims);
  }

  /** Whether one more call can be handed over. An idle worker has room. */
  get hasRoom(): boolean {
    return this.#next - this.#first < CALLS_PER_WORKER && this.remaining > 0 && !this.recalling &&
      !this.unreachable && this.state === "ready";
  }

  /** Whether it has answered a call. */
  get proven(): boolean {
    return this.#first > 0;
  }

  /** How many of its calls wait behind another, and could as well run elsewhere. */
  get behind(): number {
    return this.held > 1 && !this.#calls[(this.#next - 1) & CALL_MASK]?.chunk ? this.held - 1 : 0;
  }

  /** Takes a call; {@linkcode WorkerHandle.send} sends it. */
  hand(call: Call): void {
    const number = this.#next++;
    call.worker = this;
    call.number = number;
    this.#calls[number & CALL_MASK] = call;
    if (this.#words) offer(this.#words, number);
    this.held++;
    this.remaining--;
    this.ahead += call.cost;
  }

  /**
   * Sends what was handed over since the last time.
   *
   * @param exact Whether results must not wait for each other, and a process must say what it begins.
   * @param onUnsendable Told of each call that cannot be sent, before its neighbours are, which it may still take back. Those
   * are sent, unless the worker is {@linkcode WorkerHandle.unreachable} then.
   */
  send(exact: boolean, onUnsendable: (call: Call, reason: unknown) => void): void {
    this.#isSending = true;
    while (this.#sent < this.#next && !this.unreachable) {
      const failed = this.#sendSome(this.#next, exact);
      if (failed) this.#sendEach(failed, exact, onUnsendable);
    }
    this.#isSending = false;
    for (const speak of this.#unspoken.splice(0)) speak();
  }

  /** Says something about calls, after those that are being sent: a getter of theirs may have led to it. */
  #say(speak: () => void): void {
    if (this.#isSending) this.#unspoken.push(() => this.#say(speak));
    else if (this.state !== "leaving") speak();
  }

  /** Sends calls below `last`, as many as can share a message; returns what has failed. */
  #sendSome(last: number, exact: boolean): FailedSend | undefined {
    let count = last - this.#sent;
    this.#written = last;
    try {
      const letter = this.#writer.write(this.#calls, this.#sent, last, exact);
      count = letter.end - this.#sent;
      this.channel.send(letter.message, letter.transfer);
      this.#writer.sent(letter);
      this.#sent = letter.end;
    } catch (reason) {
      this.unreachable = !isCloneError(reason) && !this.#canSend();
      return { reason, count };
    } finally {
      this.#written = this.#sent;
    }
  }

  /** After a message has failed, one for each call that is left. What cannot be sent leaves its number to the next. */
  #sendEach(failed: FailedSend, exact: boolean, onUnsendable: (call: Call, reason: unknown) => void): void {
    const start = this.#sent, last = this.#next;
    for (let number = start; number < last; number++) {
      const call = this.#calls[number & CALL_MASK];
      if (!call) continue; // it was taken back
      this.#calls[number & CALL_MASK] = undefined;
      this.#calls[this.#sent & CALL_MASK] = call;
      call.number = this.#sent;
      if (this.#words) offer(this.#words, call.number);
      // What was alone in its message is not tried twice: what it moves may be gone.
      const failure = number === start && failed.count === 1 ? failed : this.#sendSome(call.number + 1, exact);
      if (this.unreachable) return;
      if (!failure || !this.#holds(call)) continue; // sent, or taken back by a getter of its own
      this.forget(call);
      onUnsendable(call, failure.reason);
    }
    this.#next = this.#sent;
  }

  /** Whether the line takes a message with nothing in it. */
  #canSend(): boolean {
    try {
      this.channel.send({ kind: "run", tasks: undefined, calls: [], exact: false, attempt: undefined });
      return true;
    } catch {
      return false;
    }
  }

  #holds(call: Call): boolean {
    return this.#calls[call.number & CALL_MASK] === call;
  }

  /** Stops tracking a call; a late answer is ignored. */
  forget(call: Call): void {
    this.#calls[call.number & CALL_MASK] = undefined;
    call.worker = undefined;
    const before = this.held--;
    this.remaining++;
    this.ahead = this.held === 0 ? 0 : this.ahead * this.held / before;
  }

  /** Takes a call back; false when it has begun, or nobody can know. */
  withdraw(call: Call): boolean {
    if (!this.#holds(call)) return false;
    if (this.#words ? !withdraw(this.#words, call.number) : call.number < this.#written) return false;
    this.forget(call);
    return true;
  }

  /** Whether a call has begun, or nobody can know; one that was answered has, until its owner is told. */
  begun(call: Call): boolean {
    if (!this.#holds(call)) return true;
    return this.#words ? hasBegun(this.#words, call.number) : call.number < this.#written;
  }

  /** Tells a call's task to stop. */
  abort(call: Call, reason: unknown): void {
    this.#say(() => {
      if (!this.#holds(call)) return;
      const failure = toFailure(reason, this.channel.clone, "The signal was aborted with a reason that");
      this.channel.send({ kind: "abort", call: call.number, reason: failure });
    });
  }

  /** Whether it may say that it begins this call. */
  has(number: number): boolean {
    return this.#first <= number && number < this.#sent;
  }

  /** The worker says that it begins a call; `undefined` when that was withdrawn. */
  begin(number: number): Call | undefined {
    this.#announced = number;
    return this.#calls[number & CALL_MASK];
  }

  /** The worker ends by its own will, and begins no call from `unbegun` on. */
  farewell(unbegun: number, uncaught: boolean): void {
    this.#farewell = { unbegun, uncaught };
  }

  /**
   * Asks for what it has not begun.
   *
   * @param chunks Whether the rest of a chunk is wanted, too: it is not worth it for another worker.
   */
  recall(chunks: boolean): void {
    if (this.#words || this.recalling || this.held === 0) return;
    if (!chunks && this.#calls[(this.#next - 1) & CALL_MASK]?.chunk) return;
    this.recalling = true;
    this.#say(() => this.channel.send({ kind: "recall" }));
  }

  /** The number of the oldest call without an answer. */
  get oldest(): number {
    return this.#first;
  }

  /** Whether it may answer so many calls from `first` on. */
  accepts(first: number, count: number): boolean {
    return first === this.#first && count <= this.#sent - first;
  }

  /**
   * Takes the answered calls `first`, `first + 1`, ... off the worker; a hole was taken back before. They count as begun
   * until they are settled.
   */
  answered(first: number, count: number): (Call | undefined)[] {
    const calls: (Call | undefined)[] = [];
    let answered = 0;
    for (let number = first; number < first + count; number++) {
      const call = this.#calls[number & CALL_MASK];
      this.#calls[number & CALL_MASK] = undefined;
      calls.push(call);
      if (call) answered++;
    }
    const before = this.held;
    this.#first = first + count;
    this.held -= answered;
    this.ahead = this.held === 0 ? 0 : this.ahead * this.held / before;
    return calls;
  }

  /** Takes back what the worker has not begun, at most `limit` of it, the youngest first. A chunk stays where it is, unless all goes. */
  takeBack(limit: number): Call[] {
    const taken: Call[] = [];
    for (let number = this.#next - 1; number >= this.#first && taken.length < limit; number--) {
      const call = this.#calls[number & CALL_MASK];
      if (!call) continue;
      if ((call.chunk && limit !== Infinity) || !this.withdraw(call)) break;
      taken.push(call);
    }
    return taken;
  }

  /** Takes the calls from `first` on, which the worker has given back; the youngest first. */
  recalled(first: number): Call[] {
    this.recalling = false;
    const returned: Call[] = [];
    for (let number = this.#next - 1; number >= Math.max(first, this.#first); number--) {
      const call = this.#calls[number & CALL_MASK];
      if (!call) continue;
      this.forget(call);
      returned.push(call);
    }
    this.#next = this.#sent = this.#written = Math.min(this.#next, Math.max(first, this.#first));
    return returned;
  }

  /** All calls that it holds, the oldest first, and whether they had begun: the worker is gone. */
  abandon({ exitCode }: WorkerExit): LeftCall[] {
    // What goes on after an error that somebody has prevented from ending it does not end by that error.
    if (this.#farewell?.uncaught && exitCode !== 1) this.#farewell = undefined;
    const left: LeftCall[] = [];
    for (let number = this.#first; number < this.#next; number++) {
      const call = this.#calls[number & CALL_MASK];
      this.#calls[number & CALL_MASK] = undefined;
      if (!call) continue;
      call.worker = undefined;
      left.push({ call, started: this.#hasStarted(number) });
    }
    this.#first = this.#sent = this.#next;
    this.held = this.ahead = 0;
    return left;
  }

  #hasStarted(number: number): boolean | "unknown" {
    if (number >= this.#sent) return false;
    // Withdrawn rather than looked at: a thread that cannot be stopped does not begin it later.
    if (this.#words) return !withdraw(this.#words, number);
    if (this.#farewell) return number < this.#farewell.unbegun;
    return number === this.#announced || "unknown";
  }

  /** How many of its calls have begun: all of them, as far as a process can tell. */
  countBegun(): number {
    if (!this.#words) return this.held;
    let count = 0;
    for (let number = this.#first; number < this.#next; number++) {
      const call = this.#calls[number & CALL_MASK];
      if (call && this.begun(call)) count++;
    }
    return count;
  }

  /** What holds whenever no call of it is being handed over. */
  assertInvariants(): void {
    let held = 0;
    for (let number = this.#first; number < this.#next; number++) {
      const call = this.#calls[number & CALL_MASK];
      if (!call) continue;
      held++;
      assertInvariant(call.worker === this && call.number === number, "a call knows where it is");
    }
    assertInvariant(this.held === held, "a worker knows how many calls it holds");
    assertInvariant(this.#sent === this.#next || this.unreachable, "what was handed over has been sent");
    assertInvariant(!this.idle || (this.hasRoom && held === 0), "an idle worker has room, and holds nothing");
  }

  /** Lets the worker keep the program alive, or not. */
  keepAlive(alive: boolean): void {
    if (alive === this.#alive) return;
    this.#alive = alive;
    this.channel.keepAlive(alive);
  }
}

function isCloneError(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "DataCloneError";
}
