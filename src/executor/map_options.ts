// The arguments of Executor.map(): types, checks and defaults.

import {
  checkBoolean,
  checkNumber,
  checkOptions,
  checkPositiveInteger,
  checkSignal,
  optionNames,
  refuseKind,
  show,
} from "../wire/check.ts";

/**
 * What {@linkcode Executor.map} takes its items from.
 *
 * @typeParam T The type of an item.
 */
export type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/**
 * An iterable or async iterable for each parameter of a task.
 *
 * @typeParam Args The types of the parameters.
 */
export type AnyIterables<Args extends unknown[]> = { [K in keyof Args]: AnyIterable<Args[K]> };

/** Options of {@linkcode Executor.map}. */
export interface MapOptions {
  /**
   * Time in milliseconds that the whole iteration may take, counted from the call of `map`. Waiting for a result beyond it
   * rejects with a {@linkcode TimeoutError} and cancels the rest; a result that is there is still delivered.
   *
   * @default Infinity
   */
  timeout?: number | undefined;
  /**
   * Number of items in a chunk, which one worker runs in one go; the last chunk has what is left. Calls with a `signal`, a
   * `timeout` or `retries` ({@linkcode CallOptions}) go to workers one by one all the same.
   *
   * Across machines (BullMQExecutor) a chunk is one job: one host runs it, and it is begun, taken back, stopped, lost and
   * delivered again as one. Each item still fails for itself.
   *
   * A chunk waits until it is full, however long an async iterable takes to fill it. Only when the loop waits and no item
   * is under way does a smaller chunk go.
   *
   * @default the scheduler decides
   */
  chunksize?: number | undefined;
  /**
   * Maximum number of items (or chunks, with `chunksize`) that are read beyond the results consumed.
   *
   * @default Infinity
   */
  buffersize?: number | undefined;
  /**
   * Whether results come in the order of the items. `false`: as they are ready.
   *
   * @default true
   */
  ordered?: boolean | undefined;
  /**
   * `true`: yields how each call ended, as `Promise.allSettled` does, and goes on after a failure.
   *
   * @default false
   */
  settled?: boolean | undefined;
  /**
   * Ends the iteration with its reason when it aborts, and cancels what has not begun.
   *
   * @default none
   */
  signal?: AbortSignal | undefined;
}

const MAP_OPTIONS = optionNames<MapOptions>({
  timeout: true,
  chunksize: true,
  buffersize: true,
  ordered: true,
  settled: true,
  signal: true,
});

/** Options of map(), checked and with defaults; each is read once. */
export interface MapSettings {
  readonly timeout: number;
  readonly chunksize: number;
  readonly buffersize: number;
  readonly ordered: boolean;
  readonly settled: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The arguments of map() after the task. */
export interface MapArguments {
  readonly inputs: readonly AnyIterable<unknown>[];
  readonly options: MapSettings;
}

/**
 * Checks the arguments of map() after the task.
 *
 * @param rest Iterables, and perhaps options at the end.
 * @returns Both.
 * @throws {TypeError} when something is of the wrong kind.
 * @throws {RangeError} when an option is out of range.
 */
export function readMapArguments(rest: readonly unknown[]): MapArguments {
  const last = rest.at(-1);
  // `undefined` may stand for no options, but not for the only input.
  const hasOptions = last === undefined
    ? rest.length > 1
    : typeof last === "object" && last !== null && !isIterable(last);
  const inputs = hasOptions ? rest.slice(0, -1) : rest;
  for (const input of inputs) {
    if (!isIterable(input)) {
      throw new TypeError(
        `Cannot map a task as its inputs must be iterable or async iterable: received ${show(input)}`,
      );
    }
  }
  const action = "map a task", given = hasOptions ? last ?? {} : {};
  checkOptions(action, given, MAP_OPTIONS);
  const { timeout = Infinity, chunksize = 1, buffersize, ordered = true, settled = false, signal } =
    given as MapOptions;
  checkNumber(action, "timeout", timeout);
  checkPositiveInteger(action, "chunksize", chunksize);
  // As in Python, half an item is a wrong kind.
  if (buffersize !== undefined && !Number.isInteger(buffersize)) {
    refuseKind(action, "buffersize", "an integer", buffersize);
  }
  checkPositiveInteger(action, "buffersize", buffersize);
  checkBoolean(action, "ordered", ordered);
  checkBoolean(action, "settled", settled);
  checkSignal(action, "signal", signal);
  return {
    inputs: inputs as AnyIterable<unknown>[],
    options: { timeout, chunksize, buffersize: buffersize ?? Infinity, ordered, settled, signal },
  };
}

function isIterable(value: unknown): value is AnyIterable<unknown> {
  if (typeof value === "string") return true;
  return typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/**
 * The results of {@linkcode Executor.map}. Leaving the loop, `return()` and disposal cancel calls that have not begun.
 *
 * @typeParam T The type of a result.
 */
export interface MapIterator<T> extends AsyncIterableIterator<T>, AsyncDisposable {
  /** Returns the next result. Rejects with the error of a failed call unless `settled: true`. */
  next(): Promise<IteratorResult<T>>;
  /** Ends the iteration: calls that have not begun are cancelled, and results of those that run are dropped. */
  return(): Promise<IteratorResult<T>>;
  /** Returns the iterator itself. */
  [Symbol.asyncIterator](): MapIterator<T>;
}
