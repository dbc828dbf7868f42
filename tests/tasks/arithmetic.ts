// Small sums: tasks for map().

import { task } from "../../mod.ts";

export const add = task(import.meta.url, function add(a: number, b: number): number {
  return a + b;
});

export const square = task(import.meta.url, function square(n: number): number {
  return n * n;
});

/** As Python's `divmod(10, n)` in its own tests: fails for 0. */
export const divide = task(import.meta.url, function divide(n: number): number {
  if (n === 0) throw new RangeError("Division by zero");
  return 10 / n;
});

export const addThree = task(import.meta.url, function addThree(a: number, b: number, c: number): number {
  return a + b + c;
});
