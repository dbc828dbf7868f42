// The executor to compare with: no workers, each call is a plain function call in this thread, one after the other.

import type { ExecutorOptions } from "@concurrent/futures";

/** As much of an executor as the word count needs. */
export class SerialExecutor implements AsyncDisposable {
  /** Takes the options of the other executors, none of which means anything without workers. */
  constructor(_options: ExecutorOptions) {}

  /** Calls `fn` with each item, when the result is asked for. */
  async *map<A, R>(fn: (item: A) => R, items: Iterable<A>): AsyncGenerator<Awaited<R>> {
    for (const item of items) yield await fn(item);
  }

  /** There is nothing to end. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
