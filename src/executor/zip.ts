// The inputs of map() as one: argument lists, until the shortest input ends.

import type { AnyIterable } from "./map_options.ts";

/** Argument lists, one after the other. */
export interface Source {
  /** The next list, `undefined` at the end; a promise when an input is async. */
  next(): readonly unknown[] | undefined | Promise<readonly unknown[] | undefined>;
  /** Lets the inputs go that have not ended. Errors of theirs are dropped: nobody waits for these any more. */
  close(): void;
}

/**
 * Zips the inputs of map().
 *
 * @param inputs Iterables and async iterables; none at all is an empty input.
 * @returns Their items, as argument lists.
 */
export function zip(inputs: readonly AnyIterable<unknown>[]): Source {
  if (inputs.some((input) => Symbol.asyncIterator in Object(input))) return zipAsync(inputs);
  const iterators = (inputs as Iterable<unknown>[]).map((input) => input[Symbol.iterator]());
  const [only] = iterators;
  if (only && iterators.length === 1) {
    return {
      next() {
        const { done, value } = only.next();
        return done ? undefined : [value];
      },
      close: () => void quietly(() => only.return?.()),
    };
  }
  const close = () => iterators.forEach((iterator) => void quietly(() => iterator.return?.()));
  return {
    next() {
      const args: unknown[] = [];
      for (const iterator of iterators) {
        const { done, value } = iterator.next();
        if (done) {
          iterators.splice(iterators.indexOf(iterator), 1);
          close();
          return undefined;
        }
        args.push(value);
      }
      return iterators.length > 0 ? args : undefined;
    },
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
    async next() {
      const args: unknown[] = [];
      for (const iterator of iterators) {
        const { done, value } = await iterator.next();
        if (done) {
          iterators.splice(iterators.indexOf(iterator), 1);
          close();
          return undefined;
        }
        args.push(value);
      }
      return args;
    },
    close,
  };
}

async function quietly(fn: () => unknown): Promise<void> {
  try {
    await fn();
  } catch {
    // See Source.close().
  }
}
