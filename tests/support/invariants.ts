// Imported for its effect: switches the assertions of src/invariant.ts on in this program.

Object.assign(globalThis, { [Symbol.for("@concurrent/futures/invariants")]: true });
