// Imported for its effect: the assertions of src/invariant.ts are checked in this program.

Object.assign(globalThis, { [Symbol.for("@concurrent/futures/invariants")]: true });
