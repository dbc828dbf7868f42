// Whether something is to be awaited.

/** Whether a value has a `then`. */
export function isThenable(value: unknown): boolean {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  try {
    return typeof (value as PromiseLike<unknown>).then === "function";
  } catch {
    return true; // the promise that reads it next will be rejected
  }
}
