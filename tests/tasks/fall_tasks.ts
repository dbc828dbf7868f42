// Tasks that end their worker by an error that nobody catches, at a moment when others have just finished.

import { task } from "../../mod.ts";

/** Known to be short: its calls travel together. Its results, as objects, come one by one. */
export const short = task(import.meta.url, function short(value: number): { value: number } {
  return { value };
});

/** Waits for ever, when it is to fall: an error is thrown before anything else can happen in its worker. */
export const fall = task(import.meta.url, function fall(falls: boolean): unknown {
  if (!falls) return undefined;
  setTimeout(() => {
    throw new RangeError("nobody catches it");
  }, 0);
  const due = performance.now() + 5;
  while (performance.now() < due);
  return new Promise(() => {});
});
