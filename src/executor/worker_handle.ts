// One worker as the scheduler sees it: the calls it holds, by number, and the message that is being filled for it.

import { standApart } from "../wire/apart.ts";
import type { WorkerChannel } from "../wire/channel.ts";
import { CALL_MASK, CALLS_PER_WORKER, hasBegun, offer, withdraw } from "../wire/claims.ts";
import { toFailure } from "../wire/failure.ts";
import type { Calls, Done, ToWorker } from "../wire/messages.ts";
import type { TaskRef } from "../wire/task_ref.ts";
import { assertNotLocal, isLocal, transfersOf } from "../wire/marks.ts";
import type { Call, CallHolder } from "./call.ts";

/** starting -> ready -> leaving -> (gone); a worker that is lost skips some. */
export type WorkerState = "starting" | "ready" | "leaving";

type Run = Extract<ToWorker, { kind: "run" }>;

/** A call that could not be sent. */
export interface Unsendable {
  readonly call: Call;
  readonly reason: unknown;
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
  /** The number of the oldest call without an answer, and of the next to be handed over. */
  #first = 0;
  #next = 0;
  /** The youngest call that it has said to begin. */
  #announced = -1;
  readonly #calls: (Call | undefined)[] = [];
  readonly #words: Int32Array | undefined;
  readonly #known = new Set<number>();
  #alive = true;
  // The message that is being filled: its flat array, where the current group's count stands in it, and the rest.
  #batch: Calls = [];
  #batchFirst = 0;
  #group = 0;
  #newTasks: [number, TaskRef][] = [];
  #transfer: Transferable[] | undefined;
  /** Something in it may not leave. */
  #refused = false;
  /** The objects of its calls; `undefined` while there are none. */
  #met: Set<object> | undefined;
  /** Nobody could tell them all: no other call with objects may be in this message. */
  #alone = false;

  constructor(name: string, channel: WorkerChannel, remaining: number) {
    this.name = name;
    this.channel = channel;
    this.remaining = remaining;
    if (channel.claims) this.#words = new Int32Array(channel.claims);
  }

  /** Whether one more call can be handed over. */
  get hasRoom(): boolean {
    return this.#next - this.#first < CALLS_PER_WORKER && this.remaining > 0 && !this.recalling;
  }

  /** Whether it has answered a call. */
  get proven(): boolean {
    return this.#first > 0;
  }

  /** How many of its calls wait behind another, and could as well run elsewhere. */
  get behind(): number {
    return this.held > 1 && !this.#calls[(this.#next - 1) & CALL_MASK]?.chunk ? this.held - 1 : 0;
  }

  /** Whether a call can be in the message that is being filled without sharing an object with a call in it. */
  joins({ args }: Call): boolean {
    if (this.#batch.length === 0 || !args.some(isObject)) return true;
    if (!this.#met) return true;
    return !this.#alone && standApart(args, this.#met);
  }

  /** Puts a call into the message that {@linkcode WorkerHandle.send} will send. */
  hand(call: Call): void {
    const number = this.#next++;
    const { task, args } = call;
    const batch = this.#batch;
    call.worker = this;
    call.number = number;
    this.#calls[number & CALL_MASK] = call;
    if (this.#words) offer(this.#words, number);
    if (batch.length === 0) this.#batchFirst = number;
    if (batch.length > 0 && batch[this.#group] === task.number && batch[this.#group + 1] === args.length) {
      (batch[this.#group + 2] as number)++;
    } else {
      this.#group = batch.length;
      batch.push(task.number, args.length, 1);
      if (!this.#known.has(task.number)) {
        this.#known.add(task.number);
        this.#newTasks.push([task.number, task.ref]);
      }
    }
    let objects = false;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      batch.push(arg);
      if (!isObject(arg)) continue;
      objects = true;
      const marked = transfersOf(arg);
      if (marked) (this.#transfer ??= []).push(...marked);
      if (isLocal(arg)) this.#refused = true;
    }
    if (objects && !this.#met) this.#alone = !standApart(args, this.#met = new Set());
    this.held++;
    this.remaining--;
    this.ahead += call.cost;
  }

  /**
   * Sends what was handed over since the last time.
   *
   * @param exact Whether results must not wait for each other, and a process must say what it begins.
   * @returns The calls that could not be sent: something in them cannot cross. Their neighbours were sent.
   */
  send(exact: boolean): Unsendable[] {
    const calls = this.#batch, transfer = this.#transfer, first = this.#batchFirst;
    const tasks = this.#newTasks.length > 0 ? this.#newTasks : undefined;
    const attempt = this.#calls[first & CALL_MASK]?.limits?.attempt;
    const refused = this.#refused;
    this.#batch = [];
    this.#refused = false;
    this.#met = undefined;
    this.#alone = false;
    if (tasks) this.#newTasks = [];
    this.#transfer = undefined;
    try {
      if (refused) calls.forEach(assertNotLocal);
      const plain = !tasks && !exact && attempt === undefined;
      this.channel.send(plain ? calls : { kind: "run", tasks, calls, exact, attempt }, transfer);
      return [];
    } catch (reason) {
      return this.#sendEach({ kind: "run", tasks, exact, attempt }, first, reason);
    }
  }

  /** One message per call. One that cannot be sent leaves in its place a call of no task, which the worker steps over. */
  #sendEach(head: Omit<Run, "calls">, begin: number, reason: unknown): Unsendable[] {
    const unsendable: Unsendable[] = [];
    for (let first = begin; first < this.#next; first++, head = { ...head, tasks: undefined }) {
      const call = this.#calls[first & CALL_MASK];
      try {
        if (!call) throw reason;
        call.args.forEach(assertNotLocal);
        const transfer = call.args.flatMap((arg) => transfersOf(arg) ?? []);
        this.channel.send({ ...head, calls: [call.task.number, call.args.length, 1, ...call.args] }, transfer);
      } catch (reason) {
        if (call) {
          this.forget(call);
          unsendable.push({ call, reason });
        }
        this.channel.send({ ...head, calls: [-1, 0, 1] });
      }
    }
    return unsendable;
  }

  /** Takes a call off the worker: its answer, if there will be one, is nobody's. */
  forget(call: Call): void {
    this.#calls[call.number & CALL_MASK] = undefined;
    call.worker = undefined;
    const before = this.held--;
    this.remaining++;
    this.ahead = this.held === 0 ? 0 : this.ahead * this.held / before;
  }

  /** Takes a call back; false when it has begun, or nobody can know. */
  withdraw(call: Call): boolean {
    if (!this.#words || !withdraw(this.#words, call.number)) return false;
    this.forget(call);
    return true;
  }

  /** Whether a call has begun, or nobody can know. */
  begun(call: Call): boolean {
    return !this.#words || hasBegun(this.#words, call.number);
  }

  /** Tells a call's task to stop. */
  abort(call: Call, reason: unknown): void {
    this.channel.send({ kind: "abort", call: call.number, reason: toFailure(reason) });
  }

  /** Takes the answer's call off the worker; `undefined` when the call was withdrawn. */
  answered(number: number): Call | undefined {
    const call = this.#calls[number & CALL_MASK];
    this.#calls[number & CALL_MASK] = undefined;
    if (call) call.worker = undefined;
    return call;
  }

  /** Whether it may say that it begins this call. */
  has(number: unknown): number is number {
    return Number.isSafeInteger(number) && this.#first <= (number as number) && (number as number) < this.#next;
  }

  /** The worker says that it begins a call; `undefined` when that was withdrawn. */
  begin(number: number): Call | undefined {
    this.#announced = number;
    return this.#calls[number & CALL_MASK];
  }

  /** Asks for what it has not begun. */
  recall(): void {
    if (this.#words || this.recalling || this.#calls[(this.#next - 1) & CALL_MASK]?.chunk) return;
    this.recalling = true;
    this.channel.send({ kind: "recall" });
  }

  /** Checks an answer: it is about calls that this worker has, in order, and has the form that it should. */
  accepts({ first, results, failures, spent }: Done): boolean {
    return first === this.#first && Array.isArray(results) && results.length <= this.#next - first &&
      (failures === undefined || Array.isArray(failures)) && Number.isFinite(spent) && spent >= 0;
  }

  /** The calls up to `number` are answered, `count` of which had not been withdrawn. */
  advance(number: number, count: number): void {
    const before = this.held;
    this.#first = number;
    this.held -= count;
    this.ahead = this.held === 0 ? 0 : this.ahead * this.held / before;
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
    this.#next = Math.min(this.#next, Math.max(first, this.#first));
    return returned;
  }

  /** All calls that it holds, the oldest first, and whether they had begun: the worker is gone. */
  abandon(): { call: Call; started: boolean | "unknown" }[] {
    const calls: { call: Call; started: boolean | "unknown" }[] = [];
    for (let number = this.#first; number < this.#next; number++) {
      const started = this.#words ? hasBegun(this.#words, number) : number === this.#announced || "unknown";
      const call = this.answered(number);
      if (call) calls.push({ call, started });
    }
    this.#first = this.#next;
    this.held = this.ahead = 0;
    return calls;
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

  /** Lets the worker keep the program alive, or not. */
  keepAlive(alive: boolean): void {
    if (alive === this.#alive) return;
    this.#alive = alive;
    this.channel.keepAlive(alive);
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
