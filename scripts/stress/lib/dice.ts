// Everything that is random in a chaos run comes from here, so that a seed repeats it.

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A seeded generator. */
export class Dice {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  /** @param seeds Whole numbers; other ones, in whichever place, are another sequence. */
  constructor(...seeds: number[]) {
    let mixed = 0;
    for (const seed of seeds) mixed = uniformInt(xoroshiro128plus(mixed ^ seed), -0x80000000, 0x7fffffff);
    this.#generator = xoroshiro128plus(mixed);
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  /** True in one of `times` cases. */
  oneIn(times: number): boolean {
    return this.int(1, times) === 1;
  }

  /** One of these; those that are there twice come twice as often. */
  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)]!;
  }

  /** A whole number, small ones far more often: each doubling is as likely as the one before. */
  skewed(least: number, most: number): number {
    const doublings = this.int(0, Math.floor(Math.log2(Math.max(1, most - least))));
    return Math.min(most, least + this.int(2 ** doublings - 1, 2 ** (doublings + 1) - 1));
  }
}
