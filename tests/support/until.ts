// Waiting in tests: for something that can be observed, and never for ever.

import "./invariants.ts";

/** No wait and no test may take longer; everything that works takes a small part of it. */
export const CEILING = 30_000;

/** Resolves when `condition` holds; fails when it does not come to hold. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + CEILING;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What `promise` gives, unless it takes too long. */
export async function within<T>(what: string, promise: PromiseLike<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${CEILING / 1000} s`)), CEILING);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
