// What keeps a thread busy.

/** Keeps this thread busy for so many milliseconds. */
export function block(ms: number): void {
  for (const last = performance.now() + ms; performance.now() < last;);
}
