// A module of tasks: workers import it, and nothing of the program around it.

import { task } from "@concurrent/futures/task";

/** How many prime numbers are below `limit`. */
export const countPrimes = task(import.meta.url, function countPrimes(limit: number): number {
  if (limit < 0) throw new RangeError(`There is nothing below ${limit}`);
  let count = 0;
  candidates: for (let n = 2; n < limit; n++) {
    for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) continue candidates;
    count++;
  }
  return count;
});
