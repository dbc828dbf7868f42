// What is said of values on their way: what transfer() has marked, and what never leaves its program.

// A registered symbol, so that two copies of this package in one program share the marks.
const MARKS: unique symbol = Symbol.for("@concurrent/futures/transfer") as never;
const marks: WeakMap<object, readonly Transferable[]> =
  ((globalThis as { [MARKS]?: typeof marks })[MARKS] ??= new WeakMap());

/** Marks what of a value is moved. */
export function markTransfer(value: object, transferables: readonly Transferable[]): void {
  marks.set(value, [...transferables]);
}

/** What of a value is moved. */
export function transfersOf(value: unknown): readonly Transferable[] | undefined {
  return typeof value === "object" && value !== null ? marks.get(value) : undefined;
}

// Registered like the other.
const LOCAL: unique symbol = Symbol.for("@concurrent/futures/local") as never;

/** Says that instances of a class mean nothing in another place, so that they are refused and not sent as `{}`. */
export function keepLocal(prototype: object): void {
  Object.defineProperty(prototype, LOCAL, { value: true });
}

/**
 * Checks that an argument may leave.
 *
 * @throws {DOMException} a DataCloneError, when it may not.
 */
export function assertNotLocal(value: unknown): void {
  if (isLocal(value)) {
    throw new DOMException(
      `${value.constructor.name} cannot be sent to a worker: await it, and send what it gives`,
      "DataCloneError",
    );
  }
}

/** Whether a value means nothing in another place. Never throws: a proxy that does is refused when it is sent. */
export function isLocal(value: unknown): value is object {
  try {
    return typeof value === "object" && value !== null && (value as { [LOCAL]?: true })[LOCAL] === true;
  } catch {
    return false;
  }
}
