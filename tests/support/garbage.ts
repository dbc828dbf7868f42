// Checks that an object can be collected, where the runtime lets a program collect garbage.

import v8 from "node:v8";
import vm from "node:vm";
import { delivered } from "./memory_backend.ts";

const collect = collector();

/** Options for `test()`: skips where garbage cannot be collected on demand. */
export const needsCollector: { skip: string | false } = {
  skip: collect ? false : "this runtime cannot collect garbage on demand",
};

/** How many objects are made. A leak keeps all of them, a stale word on the stack keeps one. */
const COPIES = 10;

/** Whether the objects that `make` makes can be collected afterwards. */
export async function isCollected(make: () => WeakRef<object> | Promise<WeakRef<object>>): Promise<boolean> {
  const refs: WeakRef<object>[] = [];
  for (let copy = 0; copy < COPIES; copy++) refs.push(await make());
  const left = () => refs.filter((ref) => ref.deref()).length;
  for (let round = 0; round < 20 && left() > COPIES / 2; round++) {
    await delivered(); // a WeakRef that was read keeps its object until the end of the turn
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
