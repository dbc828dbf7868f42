// Which functions yield.

/** Whether a function is a generator function, sync or async, as far as it says so. */
export function isGenerator(fn: unknown): boolean {
  try {
    return /GeneratorFunction\]$/.test(Object.prototype.toString.call(fn));
  } catch {
    return false; // a Proxy has thrown
  }
}
