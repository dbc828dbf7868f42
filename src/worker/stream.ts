// A call that yields, in its worker: iterates what its task has returned as far ahead as the reader allows, and sends the
// values in batches.

import { show } from "../wire/check.ts";
import type { ParentPort } from "../wire/channel.ts";
import { transfersOf } from "../wire/marks.ts";
import type { StreamOrder, ToWorker } from "../wire/messages.ts";
import { nextTurn } from "../wire/turn.ts";
import { InputInWorker } from "./stream_input.ts";
import { isThenable } from "./thenable.ts";

/** How long a value may wait for others, and the event loop for its turn, in milliseconds. */
const SLICE = 8;

/** How many values are yielded between two looks at the clock. */
const VALUES_PER_LOOK = 16;

/** A value that takes as long as this, in milliseconds, is slow: none waits for it. */
const SLOW = 0.05;

/** Values in a row that have to be quick, until values wait for others. */
const TRUSTED = 16;

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** One stream that runs. */
export class StreamRun {
  readonly call: number;
  readonly #port: ParentPort;
  readonly #inputs = new Map<number, InputInWorker>();
  /** How many more values may be yielded. */
  #credit: number;
  #values: unknown[] = [];
  #flushesSoon = false;
  /** Waits for credit. */
  #onMore: (() => void) | undefined;
  #iterator: AnyIterator | undefined;
  #left = false;
  /** When the event loop came round for the last time, and the clock at the last look, as far as is known. */
  #turn = performance.now();
  #looked = this.#turn;
  #quick = 0;
  #untilLook = 1;
  /** Ends the run: resolves with whether the task has ended by itself. */
  #resolve!: (ended: boolean) => void;
  #reject!: (reason: unknown) => void;
  /** How the run ends. */
  readonly outcome: Promise<boolean> = new Promise((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  constructor(port: ParentPort, call: number, { buffersize, inputs }: StreamOrder) {
    this.#port = port;
    this.call = call;
    this.#credit = buffersize;
    for (const index of inputs) this.#inputs.set(index, new InputInWorker(port, call, index, buffersize));
  }

  /** Puts the inputs in the places of the arguments that they are. */
  fill(args: unknown[]): unknown[] {
    for (const [index, input] of this.#inputs) args[index] = input;
    return args;
  }

  /** Calls the task and iterates what it returns. */
  async run(task: () => unknown): Promise<void> {
    try {
      if (this.#left) return this.#resolve(false);
      const returned = task(), iterable = isThenable(returned) ? await returned : returned;
      if (this.#left) return this.#resolve(false);
      const { iterator, isAsync } = open(iterable);
      this.#iterator = iterator;
      if (await this.#iterate(iterator, isAsync)) this.#resolve(true);
    } catch (error) {
      this.#flush();
      this.#reject(error);
    }
  }

  /** More values may be yielded. */
  more(count: number): void {
    this.#credit += count;
    this.#goOn();
  }

  /** Items of an input have come. */
  items(message: Extract<ToWorker, { kind: "items" }>): void {
    this.#inputs.get(message.input)?.accept(message);
  }

  /** Ends the task at its `yield`, or as soon as it gets there: nobody wants its values. */
  leave(reason: unknown): void {
    if (this.#left) return;
    this.#left = true;
    this.#values = [];
    for (const input of this.#inputs.values()) input.abort(reason);
    this.#goOn();
    // Before the task has returned, run() sees it.
    const iterator = this.#iterator;
    if (iterator) void this.#close(iterator).then(() => this.#resolve(false), this.#reject);
  }

  /** The run has ended, in whatever way: what is left of its inputs is closed. */
  end(): void {
    for (const input of this.#inputs.values()) input.end();
  }

  async #close(iterator: AnyIterator): Promise<void> {
    await iterator.return?.();
  }

  #goOn(): void {
    const onMore = this.#onMore;
    this.#onMore = undefined;
    onMore?.();
  }

  /** Yields until the task ends; false when it was left before. */
  async #iterate(iterator: AnyIterator, isAsync: boolean): Promise<boolean> {
    for (;;) {
      while (this.#credit === 0 && !this.#left) {
        this.#port.attend?.();
        this.#flush();
        if (this.#port.look?.()) this.#looked = performance.now();
        else {
          await new Promise<void>((resolve) => this.#onMore = resolve);
          this.#turned();
        }
      }
      if (this.#left) return false;
      if (this.#quick < TRUSTED) this.#flush();
      let result = iterator.next() as IteratorResult<unknown>;
      if (isAsync) {
        this.#flushSoon();
        result = await result;
      }
      if (this.#left) return false;
      if (typeof result !== "object" && typeof result !== "function" || result === null) {
        throw new TypeError(
          `Cannot stream a task as next() of what it returns must give objects: received ${show(result)}`,
        );
      }
      if (result.done) break;
      try {
        let { value } = result;
        if (!isAsync && isThenable(value)) {
          this.#flushSoon();
          value = await value;
          if (this.#left) return false;
        }
        this.#credit--;
        this.#add(value);
      } catch (error) {
        // A loop would have thrown it: the task is left at its `yield`. Its own errors come second then.
        await this.#close(iterator).catch(() => {});
        throw error;
      }
      if (--this.#untilLook <= 0 && this.#isLate()) {
        this.#flush();
        await new Promise<void>(nextTurn);
        this.#turned();
      }
    }
    this.#flush();
    return true;
  }

  /** Looks at the clock; whether the event loop has to come round, so that messages are read. */
  #isLate(): boolean {
    const now = performance.now(), took = now - this.#looked;
    this.#looked = now;
    this.#quick = took > SLOW ? 0 : this.#quick + 1;
    this.#untilLook = this.#quick < TRUSTED ? 1 : VALUES_PER_LOOK;
    return now - this.#turn > SLICE;
  }

  #turned(): void {
    this.#turn = this.#looked = performance.now();
  }

  #add(value: unknown): void {
    if (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol" || value === null) {
      this.#values.push(value);
      return;
    }
    // An object is sent by itself, and now: it may be unreadable for the parent, the task may change it when it goes on, and
    // Deno (2.9) moves buffers even when another value of the message cannot be cloned.
    this.#flush();
    this.#port.send({ kind: "yields", call: this.call, values: [value] }, transfersOf(value)?.slice());
  }

  /** Sends the values when this turn of the event loop ends, as the task waits for something. */
  #flushSoon(): void {
    if (this.#flushesSoon || this.#values.length === 0) return;
    this.#flushesSoon = true;
    nextTurn(() => {
      this.#flushesSoon = false;
      this.#flush();
      this.#turned();
    });
  }

  /** Sends the values: simple ones, which always can cross. */
  #flush(): void {
    const values = this.#values;
    if (values.length === 0) return;
    this.#values = [];
    this.#port.send({ kind: "yields", call: this.call, values });
  }
}

/** Opens what a task has returned, as a loop does. */
function open(iterable: unknown): { iterator: AnyIterator; isAsync: boolean } {
  const value = iterable as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const openAsync = value?.[Symbol.asyncIterator];
  if (typeof openAsync === "function") return { iterator: openAsync.call(value), isAsync: true };
  const openSync = value?.[Symbol.iterator];
  if (typeof openSync === "function") return { iterator: openSync.call(value), isAsync: false };
  throw new TypeError(
    "Cannot stream a task as it must return an iterable or an async iterable, as generator functions do: received " +
      `${show(iterable)}. Use submit() for a single result`,
  );
}
