// A page that the program shares with a worker process (wire/page_claims.ts), as both ends see it: a file without a name, whose
// descriptor the worker inherits. What a task starts inherits it on Deno (2.9) only, and can do no more with it than the task.
//
// Why at least one of two sides sees what the other has written: a read that begins after a write has returned finds it, and
// no processor may read before its own write is visible to others. For that, Linux takes a reference to the cached page before
// it copies from it, by an atomic operation that is conditional and returns a value (folio_try_get). Such operations "are fully
// ordered" (Documentation/atomic_t.txt of the kernel) on x86 and ARM alike: what this thread wrote before is visible before
// anything is read after. scripts/stress/page_order.ts tries it. Of other systems we do not know: no page there.

import { loadBuiltin } from "../runtime.ts";
import type { Page } from "../wire/page_claims.ts";

type FileSystem = Pick<typeof import("node:fs"), "readSync" | "writeSync">;

/**
 * Opens the page in a worker.
 *
 * @param descriptor What the parent says of it.
 * @param onError Called when it cannot be read or written: a task has closed it. Must not return.
 */
export function openPage(descriptor: number, onError: (error: unknown) => never): Page {
  const { read, write } = pageOf(loadBuiltin<typeof import("node:fs")>("node:fs"), descriptor);
  const guard = (act: Page["read"]): Page["read"] => (at, bytes, start, count) => {
    try {
      act(at, bytes, start, count);
    } catch (error) {
      onError(error);
    }
  };
  return { read: guard(read), write: guard(write) };
}

/** The page that is open under a descriptor. */
export function pageOf({ readSync, writeSync }: FileSystem, descriptor: number): Page {
  const complete = (done: number, count: number) => {
    if (done !== count) throw new Error("The page is too short");
  };
  return {
    read: (at, bytes, start, count) => complete(readSync(descriptor, bytes, start, count, at + start), count),
    write: (at, bytes, start, count) => complete(writeSync(descriptor, bytes, start, count, at + start), count),
  };
}
