// Inputs that are made to hold up a program, and how long they do.

/** JSON of arrays in arrays, as deep as no recursion goes. */
export const DEEP: string = "[".repeat(100_000) + "]".repeat(100_000);

/** All costly texts together take some tens of milliseconds; a busy machine takes longer. In milliseconds. */
export const LONGEST_PAUSE = 5000;

/** How long this program was held up at most while `fn` ran, in milliseconds. */
export async function longestPause(fn: () => Promise<void>): Promise<number> {
  let longest = 0, before = performance.now();
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  };
  const timer = setInterval(tick, 10);
  try {
    await fn();
  } finally {
    clearInterval(timer);
    tick();
  }
  return longest;
}
