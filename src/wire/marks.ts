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

/** A class whose instances never leave. */
interface LocalClass {
  readonly has: (value: object) => boolean;
  readonly why: string;
}

// Registered like the other.
const LOCAL: unique symbol = Symbol.for("@concurrent/futures/local") as never;
const localClasses: LocalClass[] = (globalThis as { [LOCAL]?: LocalClass[] })[LOCAL] ??= [];

/**
 * Says that instances of a class mean nothing in another place, so that they are refused and not sent as `{}`.
 *
 * @param has Tells them by a private name, so that nothing is asked of a value that is none.
 * @param why What is said of them, and what to do instead.
 */
export function keepLocal(has: (value: object) => boolean, why: string): void {
  localClasses.push({ has, why });
}

/**
 * Checks that an argument may leave.
 *
 * @throws {DOMException} a DataCloneError, when it may not.
 */
export function assertNotLocal(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const { has, why } of localClasses) if (has(value)) throw new DOMException(why, "DataCloneError");
}
