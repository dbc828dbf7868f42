/** Blocks its worker for `ms` milliseconds, without using a core. Returns when it began, by the clock of the machine. */
export function block(ms: number): number {
  const began = performance.timeOrigin + performance.now();
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return began;
}
