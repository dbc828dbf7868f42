// Whether something can be collected, where the runtime lets a program ask.

import v8 from "node:v8";
import vm from "node:vm";
import { delivered } from "./memory_backend.ts";

const collect = collector();

/** Options for `test()`: skips where garbage cannot be collected on demand. */
export const needsCollector: { skip: string | false } = {
  skip: collect ? false : "this runtime cannot collect garbage on demand",
};

/** So often is something made; a leak keeps all of it, a stale word on the stack keeps one. */
const COPIES = 10;

/** Whether what `make` makes can be collected afterwards. */
export async function isCollected(make: () => WeakRef<object> | Promise<WeakRef<object>>): Promise<boolean> {
  const refs: WeakRef<object>[] = [];
  for (let copy = 0; copy < COPIES; copy++) refs.push(await make());
  const left = () => refs.filter((ref) => ref.deref()).length;
  for (let round = 0; round < 20 && left() > COPIES / 2; round++) {
    await delivered(); // a reference that was read lives until the end of the turn
    collect!();
  }
  return left() <= COPIES / 2;
}

function collector(): (() => void) | undefined {
  const { Bun } = globalThis as { Bun?: { gc(now: boolean): void } };
  if (Bun) return () => Bun.gc(true);
  try {
    v8.setFlagsFromString("--expose-gc");
    return vm.runInNewContext("gc");
  } catch {
    return undefined;
  }
}
