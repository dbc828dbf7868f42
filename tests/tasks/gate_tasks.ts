// Tasks that a test holds and watches: the other side of ../gate.ts.

import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { task } from "../../mod.ts";

/** Writes a line that the test can read. */
export const note = task(import.meta.url, function note(folder: string, text: unknown): void {
  // When the test is over, the folder is gone and nobody reads.
  if (existsSync(folder)) appendFileSync(join(folder, "notes"), `${text}\n`);
});

/** Notes its value and returns it when the gate is open. */
export const hold = task(import.meta.url, async function hold(folder: string, value: number): Promise<number> {
  note(folder, value);
  while (isClosed(folder)) await delay(5);
  return value;
});

/** As `hold`, and deaf to everything meanwhile: it never returns to the event loop. */
export const block = task(import.meta.url, function block(folder: string, value: number): number {
  note(folder, value);
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (isClosed(folder)) Atomics.wait(nothing, 0, 0, 5);
  return value;
});

/** As `hold`, then fails. */
export const holdAndFail = task(
  import.meta.url,
  async function holdAndFail(folder: string, value: number): Promise<never> {
    throw new RangeError(`failed ${await hold(folder, value)}`);
  },
);

/** As `hold`, but 0 fails at once. */
export const holdAllButZero = task(
  import.meta.url,
  function holdAllButZero(folder: string, value: number): Promise<number> {
    if (value === 0) throw new RangeError("zero");
    return hold(folder, value);
  },
);

/** Whether tasks have to wait. */
export function isClosed(folder: string): boolean {
  return existsSync(join(folder, "closed"));
}
