// Imported for its effect: the assertions of src/executor/invariant.ts are checked in this program.

Object.assign(globalThis, { [Symbol.for("@concurrent/futures/invariants")]: true });
