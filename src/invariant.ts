// Assertions of what always holds. They cost time, so they are checked only in a program that asks for it, as the tests do.

// A registered symbol: a program can ask without an import of this file.
const ASKED: unique symbol = Symbol.for("@concurrent/futures/invariants") as never;
const realm = globalThis as { [ASKED]?: boolean };

/** Whether this program wants invariants to be checked. */
export function invariantsAreChecked(): boolean {
  return realm[ASKED] === true;
}

/** Throws if an invariant does not hold, which is a mistake in this package. */
export function assertInvariant(holds: boolean, invariant: string): void {
  if (!holds) throw new Error(`This does not hold: ${invariant}`);
}
