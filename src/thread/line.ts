// A line of shared memory beside the line of a thread: messages of plain values cross in rings (ring.ts), everything else is
// posted, and all arrive in the order in which they were sent. A side that is awake finds them by itself; one that sleeps in
// its event loop is woken by a posted message.
//
// Order: each entry of a ring says how many messages were posted before it. An entry waits until those have come; a message that
// comes is delivered after all entries that were written before it, which are there by then.
//
// Waking: only a side that is awake gets entries. The sender writes one, then looks again whether the other side is awake. The
// receiver declares that it sleeps, then looks into its ring once more, then sleeps. Atomics are sequentially consistent, so one
// of the two sees what the other did.

import type { FromWorker, ToWorker } from "../wire/messages.ts";
import type { Bell } from "../wire/bell.ts";
import { open, SEAL } from "../wire/seal.ts";
import {
  ANSWERS,
  CALLS,
  DONE,
  ITEMS,
  MORE,
  PULL,
  RING_BYTES,
  RING_UNITS,
  RingError,
  RingReader,
  RingWriter,
  YIELDS,
} from "./ring.ts";

/** The words before the rings, on cache lines of their own: whether each side is awake, and how much it has posted. */
const WORKER_AWAKE = 0, PARENT_AWAKE = 16, WORKER_POSTS = 32, PARENT_POSTS = 48;

/** Bytes before the rings. */
const FRONT = 256;

/** Any other number means that a side sleeps: if a task scribbles here, messages too many are posted, not too few. */
const AWAKE = 0x61776b65, ASLEEP = 0;

/** A sealed message that says nothing: it only wakes the other side. */
const WAKE = 0x77616b65;

/** Looks in a row that do not pay, until some are left out. */
const PATIENCE = 3;

/** Looks in a row that do not pay, after some were left out, until more are. The first may only wake the other side. */
const TRIALS = 2;

/** Entries that a ring can hold at most. */
const MOST_ENTRIES = RING_UNITS / 2;

// Taken before a task can replace them.
const { load, store } = Atomics;

type Message = ToWorker | FromWorker;

/** What a line needs of the thread's own line. */
export interface Wire<Out> {
  /** Sends a message by structured clone. Throws when it has not. */
  post(message: Out, transfer?: Transferable[]): void;
  /** Posts a message that only wakes the other side. That of the parent throws nothing. */
  wake(message: unknown): void;
}

/** Where a worker posts for a parent that may block (polled_port.ts). */
export interface ReplyTo {
  readonly port: MessagePort;
  /** The memory of the bell which it rings then, and of the one that the parent rings. */
  readonly bell: SharedArrayBuffer;
  readonly ownBell: SharedArrayBuffer;
}

/** The first message to a worker, with the memory of its line. */
export type InitWithLine = Extract<ToWorker, { kind: "init" }> & {
  readonly line?: SharedArrayBuffer | undefined;
  readonly replyTo?: ReplyTo | undefined;
  /** What keeps its reports at the pace of the program (pace.ts). */
  readonly pace?: SharedArrayBuffer | undefined;
};

/** Makes the memory of a line. */
export function newLine(): SharedArrayBuffer {
  return new SharedArrayBuffer(FRONT + 2 * RING_BYTES);
}

/** One end of a line. */
export abstract class Line<Out extends Message, In extends Message> {
  /** Calls that were sent and are not answered, as far as this end has seen. */
  protected owed = 0;
  #wire: Wire<Out>;
  /** What to ring when something is sent, if the other side may block. */
  #bell: Bell | undefined;
  #deliver: (message: In) => void = () => {};
  /** Words of this side alone, until it knows the memory. */
  #words: Int32Array = new Int32Array(FRONT / 4);
  #writer: RingWriter | undefined;
  #reader: RingReader | undefined;
  /** Where in the words this side and the other one are. */
  #own = 0;
  #other = 0;
  #ownPosts = 0;
  #otherPosts = 0;
  /** How many messages were posted, and how many of the other side's have come. */
  #posted = 0;
  #taken = 0;
  #reading = false;
  #ended = false;
  #afterReading: (() => void) | undefined;

  constructor(wire: Wire<Out>) {
    this.#wire = wire;
  }

  /**
   * Sets who gets each message that comes.
   *
   * @param deliver Gets it. What is no message comes as `undefined`: a task may have forged it.
   */
  protected deliverTo(deliver: (message: In) => void): void {
    this.#deliver = deliver;
  }

  /** Rings a bell for each message from now on. */
  protected ring(bell: Bell): void {
    this.#bell = bell;
  }

  /** Posts through another wire from now on. */
  protected reroute(wire: Wire<Out>): void {
    this.#wire = wire;
  }

  /** Begins to use the memory. */
  protected open(memory: SharedArrayBuffer, side: "parent" | "worker"): void {
    const isParent = side === "parent";
    const [toWorker, toParent] = [FRONT, FRONT + RING_BYTES];
    this.#words = new Int32Array(memory, 0, FRONT / 4);
    this.#writer = new RingWriter(memory, isParent ? toWorker : toParent);
    this.#reader = new RingReader(memory, isParent ? toParent : toWorker);
    [this.#own, this.#other] = isParent ? [PARENT_AWAKE, WORKER_AWAKE] : [WORKER_AWAKE, PARENT_AWAKE];
    [this.#ownPosts, this.#otherPosts] = isParent ? [PARENT_POSTS, WORKER_POSTS] : [WORKER_POSTS, PARENT_POSTS];
  }

  /**
   * Sends a message, under the terms of {@linkcode WorkerChannel.send}.
   *
   * @returns Whether the other side is awake.
   */
  protected pass(message: Out, transfer?: Transferable[]): boolean {
    const isHeard = this.isHeard();
    if (transfer || !isHeard || !this.#write(this.#writer!, message)) this.post(message, transfer);
    else {
      if (this.#bell) this.#bell.ring();
      if (!this.isHeard()) this.#wire.wake([WAKE, SEAL]);
    }
    return isHeard;
  }

  /** Whether the other side is awake, and finds what is written. */
  protected isHeard(): boolean {
    return this.#writer !== undefined && load(this.#words, this.#other) === AWAKE;
  }

  /** Posts a message. */
  protected post(message: Out, transfer?: Transferable[]): void {
    this.#wire.post(message, transfer);
    this.#posted = (this.#posted + 1) | 0;
    if (this.#writer) store(this.#words, this.#ownPosts, this.#posted);
    if (this.#bell) this.#bell.ring();
  }

  #write(writer: RingWriter, message: Message): boolean {
    if (message.kind === undefined) {
      // Answers begin with a call's number, calls with a task's.
      return writer.write(this.#own === PARENT_AWAKE ? CALLS : ANSWERS, this.#posted, message);
    }
    switch (message.kind) {
      case "done":
        if (message.failures || message.skipped || message.full) return false;
        return writer.write(DONE, this.#posted, message.results, message.first, message.spent);
      case "yields":
        return writer.write(YIELDS, this.#posted, message.values, message.call, 0);
      case "more":
        return writer.write(MORE, this.#posted, [], message.call, message.count);
      case "items":
        return !message.ended && writer.write(ITEMS, this.#posted, message.values, message.call, message.input);
      case "pull":
        return writer.write(PULL, this.#posted, [message.count], message.call, message.input);
    }
    return false;
  }

  /**
   * Takes what was posted.
   *
   * @returns Whether it was ours; it is the business of tasks otherwise.
   */
  take(received: unknown): boolean {
    const message = open(received) as In | typeof WAKE | undefined;
    if (message === undefined) return false;
    if (message === WAKE) return true;
    this.readAll();
    this.#taken = (this.#taken + 1) | 0;
    if (!this.#ended) this.#deliver(message);
    return true;
  }

  /** Whether there is an entry that can be read. */
  protected get hasNext(): boolean {
    const reader = this.#reader;
    return reader !== undefined && !this.#ended && !reader.isEmpty && ((reader.posts - this.#taken) | 0) <= 0;
  }

  /** Reads an entry, if there is one. */
  protected next(): boolean {
    if (this.#reading || !this.hasNext) return false;
    this.#reading = true;
    try {
      this.#deliver(this.#read(this.#reader!));
    } finally {
      this.#reading = false;
    }
    if (this.#afterReading) this.#afterReading();
    return true;
  }

  /** Reads all entries that are there, whatever comes meanwhile. */
  protected readAll(): boolean {
    let count = 0;
    while (count < MOST_ENTRIES && this.next()) count++;
    return count > 0;
  }

  /** Reads all entries, even within the delivery of one: whoever got that blocks until others come. */
  protected readWithin(): boolean {
    const wasReading = this.#reading;
    this.#reading = false;
    try {
      return this.readAll();
    } finally {
      this.#reading = wasReading;
    }
  }

  #read(reader: RingReader): In {
    try {
      const values = reader.read();
      return (reader.shape < DONE ? values : toMessage(reader, values)) as In;
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.#reader = undefined;
      return undefined as never;
    }
  }

  /** Whether a message was posted and has not come yet. */
  protected get hasPost(): boolean {
    // The other side counts a message after it has posted it: this one can be ahead.
    return ((load(this.#words, this.#otherPosts) - this.#taken) | 0) > 0;
  }

  protected awake(): void {
    store(this.#words, this.#own, AWAKE);
  }

  /** Declares that this side sleeps; false when there is something to read, and it does not. */
  protected asleep(): boolean {
    store(this.#words, this.#own, ASLEEP);
    if (!this.hasNext) return true;
    this.awake();
    return false;
  }

  /** Reads what is there, then calls `fn`, and reads nothing more. */
  end(fn: () => void): void {
    if (this.#reading) return void (this.#afterReading = () => this.end(fn));
    this.readAll();
    this.#ended = true;
    fn();
  }
}

/** Whether it pays to look for something: as long as it does, and then rarely. */
export class Habit {
  readonly #rarely: number;
  /** Looks that do not pay, until some are left out; how many of them; how many of those are still to be left out. */
  #patience = PATIENCE;
  #pause = 2 * PATIENCE;
  #left = 0;

  /** @param rarely Looks that are left out at most, for {@linkcode TRIALS} that are made. */
  constructor(rarely: number) {
    this.#rarely = rarely;
  }

  /** Whether to look now. */
  isWorthwhile(): boolean {
    if (this.#left === 0) return true;
    this.#left--;
    return false;
  }

  paid(): void {
    this.#patience = PATIENCE;
    this.#pause = 2 * PATIENCE;
  }

  missed(): void {
    if (--this.#patience > 0) return;
    this.#patience = TRIALS;
    this.#left = this.#pause;
    this.#pause = Math.min(2 * this.#pause, this.#rarely);
  }
}

/** Makes a message of what an entry with two numbers says. */
function toMessage({ shape, first, second }: RingReader, values: unknown[]): Message {
  switch (shape) {
    case YIELDS:
      return { kind: "yields", call: first, values };
    case MORE:
      return { kind: "more", call: first, count: second };
    case ITEMS:
      return { kind: "items", call: first, input: second, values, ended: false };
    case PULL:
      return { kind: "pull", call: first, input: second, count: values[0] as number };
    default:
      return { kind: "done", first, results: values, failures: undefined, spent: second, full: false };
  }
}

/** How many calls are in a message. */
export function countCalls(calls: readonly unknown[]): number {
  let count = 0;
  for (let at = 0; at + 2 < calls.length;) {
    const arity = calls[at + 1] as number, more = calls[at + 2] as number;
    if (!(arity >= 0 && more > 0)) break;
    count += more;
    at += 3 + arity * more;
  }
  return count;
}
