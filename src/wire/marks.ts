// What transfer() has marked, on either side.

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
