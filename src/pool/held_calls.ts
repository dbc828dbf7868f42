// The calls that one worker holds: they were handed over, and are neither answered nor withdrawn.
//
//   first            sent             next
//     |  the worker has  |  to be sent    |  free
//     v                  v                v
//   --+------------------+----------------+--
//
// A call gets the next number when it is handed over. From then on it is the worker's, and can be withdrawn, or counted, at any
// time, also by user code that runs while it is being sent. Numbers of calls that cannot be sent are used again.

import type { Call, CallHolder } from "../executor/call.ts";
import { assertInvariant } from "../invariant.ts";
import type { CallRing } from "../wire/calls.ts";
import { CALL_MASK, CALLS_PER_WORKER, type ParentClaims } from "../wire/claims.ts";

/** A call of a worker that is gone. */
export interface LeftCall {
  readonly call: Call;
  readonly begun: boolean | "unknown";
}

/** The calls of one worker, by number. */
export class HeldCalls {
  /** How many the worker holds. */
  size = 0;
  /** How long those are expected to take, in milliseconds. */
  cost = 0;
  /** No call of these has a lower priority. */
  lowest = Infinity;
  /** How many were handed over so far; those withdrawn do not count. */
  handed = 0;
  readonly ring: CallRing<Call> = [];
  /** The number of the oldest call without an answer. */
  first = 0;
  /** The number of the next call to be sent. */
  sent = 0;
  /** The number of the next call to be handed over. */
  next = 0;
  /** The number after the last call that is sent, or is being sent at the moment. */
  written = 0;
  /** The youngest call that the worker has said to begin. */
  #announced = -1;
  readonly #worker: CallHolder;
  /** `undefined` where the worker and the parent share nothing. */
  readonly #claims: ParentClaims | undefined;

  constructor(worker: CallHolder, claims: ParentClaims | undefined) {
    this.#worker = worker;
    this.#claims = claims;
  }

  /** Whether there is a number for one more. */
  get hasRoom(): boolean {
    return this.next - this.first < CALLS_PER_WORKER;
  }

  /** How many wait behind another, and could as well run elsewhere. */
  get behind(): number {
    return this.size > 1 && !this.last?.chunk ? this.size - 1 : 0;
  }

  /** The youngest call; `undefined` when that was withdrawn. */
  get last(): Call | undefined {
    return this.ring[(this.next - 1) & CALL_MASK];
  }

  /** The call of a number that the worker was sent; `undefined` when it was withdrawn. */
  at(number: number): Call | undefined {
    return this.ring[number & CALL_MASK];
  }

  /** Whether a call is one of these. */
  has(call: Call): boolean {
    return this.ring[call.number & CALL_MASK] === call;
  }

  /** Adds a call that is handed over. */
  add(call: Call): void {
    call.worker = this.#worker;
    this.place(call, this.next++);
    this.size++;
    this.handed++;
    this.cost += call.cost;
    const { priority } = call;
    if (priority < this.lowest) this.lowest = priority;
  }

  /** Gives a call a number that the worker has not heard of. */
  place(call: Call, number: number): void {
    call.number = number;
    this.ring[number & CALL_MASK] = call;
    this.#claims?.offer(number);
  }

  /** Stops tracking a call; a late answer is ignored. */
  forget(call: Call): void {
    this.ring[call.number & CALL_MASK] = undefined;
    call.worker = undefined;
    this.handed--;
    this.#shrink(1);
  }

  #shrink(count: number): void {
    const before = this.size;
    this.size -= count;
    this.cost = this.size === 0 ? 0 : this.cost * this.size / before;
    if (this.size === 0) this.lowest = Infinity;
  }

  // --- taking back

  /** Withdraws a call; false when it has begun, or nobody can know. */
  withdraw(call: Call): boolean {
    if (!this.has(call)) return false;
    if (this.#claims ? !this.#claims.withdraw(call.number) : call.number < this.written) return false;
    this.forget(call);
    return true;
  }

  /** Withdraws at most `limit` calls, the youngest first. A chunk stays where it is. */
  withdrawLast(limit: number): Call[] {
    return this.#withdrawDown(limit, true);
  }

  /** Withdraws the youngest calls down to one of at least this priority, the youngest first. A chunk stays where it is. */
  withdrawBelow(priority: number): Call[] {
    return this.#withdrawDown(Infinity, true, priority);
  }

  /** Withdraws all calls that have not begun, the youngest first. */
  withdrawAll(): Call[] {
    return this.#withdrawDown(Infinity, false);
  }

  #withdrawDown(limit: number, sparesChunks: boolean, priority?: number): Call[] {
    const wanted: number[] = [];
    const first = this.#claims ? this.first : this.written;
    for (let number = this.next - 1; number >= first && wanted.length < limit; number--) {
      const call = this.ring[number & CALL_MASK];
      if (!call) continue;
      if ((sparesChunks && call.chunk) || (priority !== undefined && call.priority >= priority)) break;
      wanted.push(number);
    }
    wanted.length = this.#claims?.withdrawYoungest(wanted) ?? wanted.length;
    return wanted.map((number) => {
      const call = this.ring[number & CALL_MASK]!;
      this.forget(call);
      return call;
    });
  }

  /** Takes the calls from `from` on, which the worker has given back; the youngest first. */
  takeFrom(from: number): Call[] {
    const returned: Call[] = [], end = Math.max(from, this.first);
    for (let number = this.next - 1; number >= end; number--) {
      const call = this.ring[number & CALL_MASK];
      if (!call) continue;
      this.forget(call);
      returned.push(call);
    }
    this.next = this.sent = this.written = Math.min(this.next, end);
    return returned;
  }

  /**
   * Takes all calls, the oldest first: the worker is gone.
   *
   * @param unbegun The first call that the worker has not begun, if it has said so.
   */
  takeAll(unbegun: number | undefined): LeftCall[] {
    const left: LeftCall[] = [];
    const firstUnbegun = this.#firstUnbegun(unbegun), isKnown = this.#claims !== undefined || unbegun !== undefined;
    for (let number = this.first; number < this.next; number++) {
      const call = this.ring[number & CALL_MASK];
      this.ring[number & CALL_MASK] = undefined;
      if (!call) continue;
      const begun = number < firstUnbegun && (isKnown || number === this.#announced || "unknown");
      if (begun === false) call.worker = undefined; // the others count as begun until they are settled
      left.push({ call, begun });
    }
    this.first = this.sent = this.next;
    this.size = this.cost = 0;
    this.lowest = Infinity;
    this.#claims?.close();
    return left;
  }

  /** The first call that the worker, which is gone, has certainly not begun. */
  #firstUnbegun(unbegun = Infinity): number {
    const sent = Math.min(this.sent, unbegun);
    if (!this.#claims) return sent;
    // Withdrawn rather than looked at: a worker that cannot be stopped does not begin them later.
    const numbers: number[] = [];
    for (let number = this.sent - 1; number >= this.first; number--) {
      if (this.ring[number & CALL_MASK]) numbers.push(number);
    }
    const count = this.#claims.withdrawYoungest(numbers);
    return Math.min(sent, count > 0 ? numbers[count - 1]! : sent);
  }

  // --- what the worker says of them

  /** Whether the worker was sent a call of this number, and may say that it begins it. */
  wasSent(number: number): boolean {
    return this.first <= number && number < this.sent;
  }

  /** The worker says that it begins a call; `undefined` when that was withdrawn. */
  announce(number: number): Call | undefined {
    this.#announced = number;
    return this.ring[number & CALL_MASK];
  }

  /** Whether the worker may answer `count` calls from `first` on. */
  accepts(first: number, count: number): boolean {
    return first === this.first && count <= this.sent - first;
  }

  /**
   * Takes the calls that a worker has skipped of those that it answers, as it found them withdrawn. Most are.
   *
   * @param first The number of the first call that it answers.
   * @param skipped Their places after that.
   * @returns Those that count as begun nevertheless, the youngest first; `undefined` when the worker cannot have skipped one.
   */
  takeSkipped(first: number, skipped: readonly number[]): Call[] | undefined {
    const taken: Call[] = [];
    for (const place of skipped) {
      const call = this.ring[(first + place) & CALL_MASK];
      if (!call) continue;
      if (!this.#claims?.mayHaveSkipped(first + place)) return undefined;
      taken.unshift(call);
    }
    for (const call of taken) this.forget(call);
    return taken;
  }

  /**
   * Takes the answered calls `first`, `first + 1`, ...; a hole was withdrawn before. They count as begun until they are
   * settled.
   */
  answered(first: number, count: number): (Call | undefined)[] {
    const calls: (Call | undefined)[] = [];
    let answered = 0;
    for (let number = first; number < first + count; number++) {
      const call = this.ring[number & CALL_MASK];
      this.ring[number & CALL_MASK] = undefined;
      calls.push(call);
      if (call) answered++;
    }
    this.first = first + count;
    this.#shrink(answered);
    return calls;
  }

  /** Whether a call has begun, or nobody can know; one that was answered has, until its owner is told. */
  hasBegun(call: Call): boolean {
    if (!this.has(call)) return true;
    return this.#claims ? this.#claims.hasBegun(call.number) : call.number < this.written;
  }

  /** How many have begun: all of them, where nobody can know. */
  countBegun(): number {
    if (!this.#claims) return this.size;
    let count = 0;
    for (let number = this.first; number < this.next; number++) {
      const call = this.ring[number & CALL_MASK];
      if (call && this.hasBegun(call)) count++;
    }
    return count;
  }

  /** The oldest call that has not begun; where nobody can know, the oldest. */
  get upcoming(): Call | undefined {
    let begun = this.first, unbegun = this.#claims ? this.next : begun;
    // Calls are begun in order.
    while (begun < unbegun) {
      const middle = (begun + unbegun) >> 1, call = this.#oldest(middle, unbegun);
      if (call && this.hasBegun(call)) begun = call.number + 1;
      else unbegun = middle;
    }
    return this.#oldest(begun, this.next);
  }

  /** The call that the worker runs, or has just run, as far as one can know. */
  get running(): Call | undefined {
    const { upcoming } = this;
    if (!this.#claims) return upcoming;
    let number = (upcoming?.number ?? this.next) - 1;
    while (number > this.first && !this.ring[number & CALL_MASK]) number--;
    return number < this.first ? undefined : this.ring[number & CALL_MASK];
  }

  /** The oldest call from number `first` to below `end`. */
  #oldest(first: number, end: number): Call | undefined {
    for (let number = first; number < end; number++) {
      const call = this.ring[number & CALL_MASK];
      if (call) return call;
    }
  }

  /** What holds whenever no call is being handed over. */
  assertInvariants(): void {
    let held = 0;
    let waiting: Call | undefined;
    for (let number = this.first; number < this.next; number++) {
      const call = this.ring[number & CALL_MASK];
      if (!call) continue;
      assertInvariant(call.worker === this.#worker && call.number === number, "a call knows where it is");
      if (held++ > 0 && !this.#claims) {
        waiting ??= call;
        assertInvariant(call.priority === waiting.priority, "what waits in a worker without claims has one priority");
      }
    }
    assertInvariant(this.size === held, "a worker knows how many calls it holds");
  }
}
