// The inputs of map() as one: items that stand for argument lists, until the shortest input ends.

import type { AnyIterable } from "./map_options.ts";

/** What next() gives at the end. */
export const END = Symbol("end");

/** Items, one after the other. */
export interface Source {
  /** Whether next() gives promises. */
  readonly async: boolean;
  /** The next item, {@linkcode END} after the last. */
  next(): unknown;
  /** The arguments that an item stands for: itself, when there is one input. */
  toArguments(item: unknown): readonly unknown[];
  /** Lets the inputs go that have not ended. Errors of theirs are dropped: nobody waits for these any more. */
  close(): void;
}

/**
 * Zips the inputs of map().
 *
 * @param inputs Iterables and async iterables; none at all is an empty input.
 * @returns Their items.
 */
export function zip(inputs: readonly AnyIterable<unknown>[]): Source {
  if (inputs.some((input) => Symbol.asyncIterator in Object(input))) return zipAsync(inputs);
  const iterators = (inputs as Iterable<unknown>[]).map((input) => input[Symbol.iterator]());
  const [only] = iterators;
  if (only && iterators.length === 1) {
    return {
      async: false,
      next() {
        const { done, value } = only.next();
        return done ? END : value;
      },
      toArguments: (item) => [item],
      close: () => void quietly(() => only.return?.()),
    };
  }
  const close = () => iterators.forEach((iterator) => void quietly(() => iterator.return?.()));
  return {
    async: false,
    next() {
      const args: unknown[] = [];
      for (const iterator of iterators) {
        const { done, value } = iterator.next();
        if (done) {
          iterators.splice(iterators.indexOf(iterator), 1);
          close();
          return END;
        }
        args.push(value);
      }
      return iterators.length > 0 ? args : END;
    },
    toArguments,
    close,
  };
}

function zipAsync(inputs: readonly AnyIterable<unknown>[]): Source {
  const iterators = inputs.map((input) =>
    Symbol.asyncIterator in Object(input)
      ? (input as AsyncIterable<unknown>)[Symbol.asyncIterator]()
      : (input as Iterable<unknown>)[Symbol.iterator]()
  );
  const close = () => iterators.forEach((iterator) => void quietly(() => iterator.return?.()));
  return {
    async: true,
    async next() {
      const args: unknown[] = [];
      for (const iterator of iterators) {
        const { done, value } = await iterator.next();
        if (done) {
          iterators.splice(iterators.indexOf(iterator), 1);
          close();
          return END;
        }
        args.push(value);
      }
      return args;
    },
    toArguments,
    close,
  };
}

function toArguments(item: unknown): readonly unknown[] {
  return item as unknown[];
}

async function quietly(fn: () => unknown): Promise<void> {
  try {
    await fn();
  } catch {
    // See Source.close().
  }
}
