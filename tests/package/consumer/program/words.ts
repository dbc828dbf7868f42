// A module whose functions the consumer's program submits.

import { task } from "@concurrent/futures/task";

export const add = task(import.meta.url, function add(a: number, b: number): number {
  return a + b;
});

/** Not marked: for `taskModule()`. */
export async function reverse(text: string): Promise<string> {
  await Promise.resolve();
  return [...text].reverse().join("");
}
