import { task } from "../../../../src/task/mod.ts";

export const increment = task(import.meta.url, function increment(n: number): number {
  return n + 1;
});
