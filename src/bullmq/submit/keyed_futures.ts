// The Futures of idempotency keys: one for each key, for as long as the program uses it or its call is not done.

import type { Future } from "../../future/future.ts";

/** The Futures of an executor that have a key. */
export class KeyedFutures {
  readonly #futures = new Map<string, WeakRef<Future<unknown>>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    if (!this.#futures.get(key)?.deref()) this.#futures.delete(key);
  });

  /** The Future of a key; calls `submit` for it if there is none. */
  get(key: string, submit: () => Future<unknown>): Future<unknown> {
    const known = this.#futures.get(key)?.deref();
    if (known) return known;
    const future = submit();
    this.#futures.set(key, new WeakRef(future));
    this.#collected.register(future, key);
    return future;
  }
}
