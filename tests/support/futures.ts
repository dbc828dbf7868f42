// Futures in each of their states, made by hand, and what a Future rejects with.

import { fail } from "@std/assert";
import { Future } from "../../mod.ts";

export const pending = <T = unknown>(): Future<T> => new Future<T>();

export function running<T = unknown>(): Future<T> {
  const future = new Future<T>();
  future.setRunningOrNotifyCancel();
  return future;
}

export function cancelled<T = unknown>(): Future<T> {
  const future = new Future<T>();
  future.cancel();
  return future;
}

export function failed<T = unknown>(reason: unknown): Future<T> {
  const future = new Future<T>();
  future.setException(reason);
  return future;
}

export function succeeded<T>(value: T): Future<T> {
  const future = new Future<T>();
  future.setResult(value);
  return future;
}

/** Resolves to what a Future rejects with, failed or cancelled. */
export function errorOf(future: Future<unknown>): Promise<unknown> {
  return future.result().then(
    (value) => fail(`It has a result: ${String(value)}`),
    (error) => error,
  );
}
