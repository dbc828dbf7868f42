// Calls in messages: CallWriter writes them in the parent, CallReader reads them in the worker.
//
// A message has groups of calls: `task number, arguments per call, calls, ...arguments`. It carries many calls, but not calls
// that share objects: structured clone preserves identity within a message, so the shared object would be one object in the
// worker, too, and one task would see what another does to it.

import { CALL_MASK } from "./claims.ts";
import { assertNotLocal, transfersOf } from "./marks.ts";
import type { Calls, StreamOrder, TaskRef, ToWorker } from "./messages.ts";

/** A message with calls, ready to send. */
export interface Letter {
  readonly message: Extract<ToWorker, Calls | { kind: "run" }>;
  readonly transfer: Transferable[] | undefined;
  /** The number of the first call that is not in the message. */
  readonly end: number;
  /** Tasks that the worker learns from it. */
  readonly tasks: readonly (readonly [number, TaskRef])[];
}

const NO_TASKS: readonly never[] = [];

/** What a message says of a call. */
export interface OutgoingCall {
  readonly task: { readonly number: number; readonly ref: TaskRef };
  readonly args: readonly unknown[];
  /** 1 for the first run, 2 for the first retry; `undefined` for a call that is never aborted nor retried. */
  readonly attempt: number | undefined;
  /** Whether somebody listens to what its task reports. */
  readonly reports: boolean;
  /** For a call whose result is a stream: it has a message of its own. */
  readonly stream: StreamOrder | undefined;
}

/** The calls of one worker, by number, in a ring. The slot of a withdrawn call is empty. */
export type CallRing<C extends OutgoingCall = OutgoingCall> = (C | undefined)[];

/** Objects of one call that are checked. A call with more gets a message of its own, which adds little to its cost. */
const MOST = 64;

/** Properties of one object that are checked. */
const MOST_PARTS = 4 * MOST;

/** In place of a task, for a call that was withdrawn before it was sent: the worker skips it. */
const NO_TASK = -1;

/** Writes the calls of one worker. */
export class CallWriter {
  /** Numbers of the tasks that the worker knows. */
  readonly #known = new Set<number>();

  /**
   * Writes calls from `first` on, as many as can share a message. Getters and proxies among the arguments may run; even if
   * they withdraw calls, the message stays right, as the worker skips those.
   *
   * @param ring The calls.
   * @param first The number of the first.
   * @param last The number after the last.
   * @param exact Whether each result leaves before the next call begins, and a process says what it begins.
   * @returns The message. Throws a DataCloneError when an argument has no meaning in a worker.
   */
  write(ring: CallRing, first: number, last: number, exact: boolean): Letter {
    const calls = [] as unknown[] as Calls;
    const { attempt, reports = false, stream } = ring[first & CALL_MASK] ?? {};
    let tasks: [number, TaskRef][] | undefined, transfer: Transferable[] | undefined;
    // Objects in the arguments of the calls so far; `undefined` while there are none.
    let met: Set<object> | undefined, apart = true;
    let group = -1, end = first;
    for (; end < last && !transfer; end++) {
      const call = ring[end & CALL_MASK];
      if (!call) {
        group = -1;
        calls.push(NO_TASK, 0, 1);
        continue;
      }
      if (call.reports !== reports) break;
      const { task, args } = call;
      let objects = false, moved: Transferable[] | undefined;
      for (let i = 0; i < args.length; i++) {
        const arg = args[i];
        if (typeof arg !== "object" || arg === null) continue;
        objects = true;
        assertNotLocal(arg);
        const marked = transfersOf(arg);
        if (marked) moved = moved ? moved.concat(marked) : [...marked];
      }
      if (objects) {
        // Deno (2.9) moves buffers even when another value of the message cannot be cloned: such a call is sent alone.
        if (moved && end > first) break;
        if (met && (!apart || !standApart(args, met))) break;
        if (!met) apart = standApart(args, met = new Set());
      }
      if (group >= 0 && calls[group] === task.number && calls[group + 1] === args.length) {
        (calls[group + 2] as number)++;
      } else {
        group = calls.length;
        calls.push(task.number, args.length, 1);
        if (!this.#known.has(task.number) && !tasks?.some(([number]) => number === task.number)) {
          (tasks ??= []).push([task.number, task.ref]);
        }
      }
      for (let i = 0; i < args.length; i++) calls.push(args[i]);
      transfer = moved;
    }
    const plain = !tasks && !exact && attempt === undefined && !reports;
    const message = plain
      ? calls
      : { kind: "run", tasks, calls, exact, attempt, ...(reports && { reports }), ...(stream && { stream }) } as const;
    return { message, transfer, end, tasks: tasks ?? NO_TASKS };
  }

  /** Notes that the message was sent: the worker knows its tasks. */
  sent({ tasks }: Letter): void {
    for (const [number] of tasks) this.#known.add(number);
  }
}

/**
 * Checks that the arguments of a call share no object with other calls of the message. No getter is called.
 *
 * @param args The arguments.
 * @param met The objects of the other calls; those of this one are added.
 * @returns Whether the call may be in that message; false also when it is not cheap to tell.
 * @throws {DOMException} a DataCloneError, when one of them has no meaning in a worker.
 */
export function standApart(args: readonly unknown[], met: Set<object>): boolean {
  const own = new Set<object>();
  const rest: unknown[] = args.slice();
  let apart = true;
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value !== "object" || value === null || own.has(value)) continue;
    if (met.has(value) || own.size === MOST) return false;
    own.add(value);
    if (addParts(value, rest)) continue;
    assertNotLocal(value);
    apart = false;
  }
  if (apart) { for (const object of own) met.add(object); }
  return apart;
}

/** Adds the parts of an object to the rest; false when they cannot be listed cheaply and without calling anything. */
function addParts(value: object, rest: unknown[]): boolean {
  try {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
    if (Array.isArray(value) && value.length > MOST_PARTS) return false;
    const keys = Object.keys(value);
    if (keys.length > MOST_PARTS) return false;
    if (Array.isArray(value) && keys.length === value.length) {
      for (let i = 0; i < value.length; i++) rest.push(value[i]);
      return true;
    }
    for (const key of keys) {
      const property = Object.getOwnPropertyDescriptor(value, key)!;
      if (!("value" in property)) return false;
      rest.push(property.value);
    }
    return true;
  } catch {
    return false; // a Proxy has thrown; sending it fails
  }
}

/** Reads the calls of messages, one after another. */
export class CallReader {
  /** The number of the task of the current call; negative for a call to skip. */
  task = NO_TASK;
  /** How many arguments the current call has. */
  arity = 0;
  readonly #none: unknown[] = [];
  #message = this.#none;
  /** Where the next argument of the current call is, and where the call ends. */
  #at = 0;
  #end = 0;
  /** How many calls of the group follow the current one. */
  #left = 0;

  /** Goes on with another message. */
  read(message: unknown[]): void {
    this.#message = message;
    this.#end = this.#left = 0;
  }

  /** Drops what is left of the message. */
  drop(): void {
    this.read(this.#none);
  }

  /** Goes on to the next call of the message; false when there is none. */
  next(): boolean {
    let start = this.#end;
    if (this.#left === 0) {
      const message = this.#message;
      if (start >= message.length) return false;
      this.task = message[start] as number;
      this.arity = message[start + 1] as number;
      this.#left = message[start + 2] as number;
      start += 3;
    }
    this.#left--;
    this.#at = start;
    this.#end = start + this.arity;
    return true;
  }

  /** How many calls of the message have yet to run, the current one included. Counts up to `most`. */
  countAhead(most: number): number {
    const message = this.#message;
    let count = 1 + this.#left, at = this.#end + this.#left * this.arity;
    while (count < most && at < message.length) {
      const calls = message[at + 2] as number;
      count += calls;
      at += 3 + calls * (message[at + 1] as number);
    }
    return Math.min(count, most);
  }

  /** Takes the next argument of the call out of the message: what the task drops can be collected then (T8). */
  take(): unknown {
    const at = this.#at++, message = this.#message, arg = message[at];
    message[at] = undefined;
    return arg;
  }

  /** Takes all arguments of the call out of the message. */
  takeAll(): unknown[] {
    const args = this.#message.slice(this.#at, this.#end);
    this.#message.fill(undefined, this.#at, this.#end);
    return args;
  }
}
