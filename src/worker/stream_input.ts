// What a streaming task gets in place of an async iterable of the program: an iterator which pulls the items.

import type { ParentPort } from "../wire/channel.ts";
import { fromFailure } from "../wire/failure.ts";
import type { ToWorker } from "../wire/messages.ts";

interface Waiter {
  resolve(result: IteratorResult<unknown>): void;
  reject(reason: unknown): void;
}

/** One input, which can be iterated once. */
export class InputInWorker implements AsyncIterableIterator<unknown> {
  // Private names: the task sees next() and return() alone.
  readonly #pull: (count: number) => void;
  readonly #tellClosed: () => void;
  /** How many items are taken before as many are pulled. */
  readonly #portion: number;
  #taken: number;
  readonly #items: unknown[] = [];
  readonly #waiters: Waiter[] = [];
  /** No more items come; `failed`: the next one who asks is told why, then they are over. */
  #end: { readonly failed: boolean; readonly reason: unknown } | undefined;

  constructor(port: ParentPort, call: number, input: number, buffersize: number) {
    this.#portion = Math.ceil(buffersize / 2);
    this.#taken = buffersize;
    this.#pull = (count) => port.send({ kind: "pull", call, input, count });
    this.#tellClosed = () => port.send({ kind: "closed", call, input });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      InputInWorker.#serve(this);
    });
  }

  return(value?: unknown): Promise<IteratorResult<unknown>> {
    if (!this.#end) this.#tellClosed();
    this.#items.length = 0;
    this.#end = { failed: false, reason: undefined };
    InputInWorker.#serve(this);
    return Promise.resolve({ value, done: true });
  }

  /** Items have come, or the end. */
  accept({ values, ended, failure }: Extract<ToWorker, { kind: "items" }>): void {
    if (this.#end) return; // it was left
    for (const value of values) this.#items.push(value);
    if (ended) this.#end = { failed: failure !== undefined, reason: failure && fromFailure(failure, new Map()) };
    InputInWorker.#serve(this);
  }

  /** The stream is left: whoever waits for an item here would keep its task from ending. */
  abort(reason: unknown): void {
    this.#items.length = 0;
    this.#end = { failed: true, reason };
    for (const { reject } of this.#waiters.splice(0)) reject(reason);
  }

  /** The task has ended. What it has left behind gets no more items. */
  end(): void {
    this.#items.length = 0;
    this.#end ??= { failed: false, reason: undefined };
    InputInWorker.#serve(this);
  }

  static #serve(input: InputInWorker): void {
    while (input.#waiters.length > 0) {
      if (input.#items.length > 0) {
        input.#taken++;
        input.#waiters.shift()!.resolve({ value: input.#items.shift(), done: false });
        continue;
      }
      if (!input.#end) break;
      const { failed, reason } = input.#end, { resolve, reject } = input.#waiters.shift()!;
      input.#end = { failed: false, reason: undefined };
      if (failed) reject(reason);
      else resolve({ value: undefined, done: true });
    }
    if (input.#end || input.#taken < input.#portion) return;
    const count = input.#taken;
    input.#taken = 0;
    input.#pull(count);
  }
}
