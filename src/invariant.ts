// Invariants as assertions. They cost something, so they are checked only in a program that asks for it, as the tests do.

// A registered symbol: the program that asks imports nothing of this.
const ASKED: unique symbol = Symbol.for("@concurrent/futures/invariants") as never;
const realm = globalThis as { [ASKED]?: boolean };

/** Whether this program wants invariants to be checked. */
export function invariantsAreChecked(): boolean {
  return realm[ASKED] === true;
}

/** Throws when an invariant does not hold: there is a mistake in this package. */
export function assertInvariant(holds: boolean, invariant: string): void {
  if (!holds) throw new Error(`This does not hold: ${invariant}`);
}
