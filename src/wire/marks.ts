// Marks on values: which functions are tasks of modules, what transfer() moves, and which classes never leave the program.

import type { TaskRef } from "./messages.ts";

// A registered symbol, so that two copies of this package in one program understand each other's tasks.
const REFS: unique symbol = Symbol.for("@concurrent/futures/tasks") as never;

/** The names of functions that are exports of modules. Not properties of the functions, which others could inherit. */
const refs: WeakMap<object, TaskRef> = ((globalThis as { [REFS]?: typeof refs })[REFS] ??= new WeakMap());

/** Marks a function as the export of a module. */
export function setTaskRef(fn: object, ref: TaskRef): void {
  refs.set(fn, ref);
}

/** The name of a function that is marked as the export of a module. */
export function getTaskRef(fn: object): TaskRef | undefined {
  return refs.get(fn);
}

// A registered symbol, so that two copies of this package in one program share the marks.
const MARKS: unique symbol = Symbol.for("@concurrent/futures/transfer") as never;
const marks: WeakMap<object, readonly Transferable[]> =
  ((globalThis as { [MARKS]?: typeof marks })[MARKS] ??= new WeakMap());

/** Marks the parts of a value that are moved when it is sent. */
export function markTransfer(value: object, transferables: readonly object[]): void {
  marks.set(value, [...transferables] as Transferable[]);
}

/** The parts of a value that are moved when it is sent. */
export function transfersOf(value: unknown): readonly Transferable[] | undefined {
  return typeof value === "object" && value !== null ? marks.get(value) : undefined;
}

/** A class whose instances cannot be sent. */
interface LocalClass {
  readonly has: (value: object) => boolean;
  readonly why: string;
}

// A registered symbol, for the same reason.
const LOCAL: unique symbol = Symbol.for("@concurrent/futures/local") as never;
const localClasses: LocalClass[] = (globalThis as { [LOCAL]?: LocalClass[] })[LOCAL] ??= [];

/**
 * Declares that instances of a class have no meaning in a worker: they are refused, where a clone would be `{}`.
 *
 * @param has Whether a value is an instance, by a private name: that calls nothing of the value.
 * @param why The message: what cannot be sent, and what to do instead.
 */
export function keepLocal(has: (value: object) => boolean, why: string): void {
  localClasses.push({ has, why });
}

/**
 * Checks that a value has a meaning in a worker.
 *
 * @throws {DOMException} a DataCloneError, when it has none.
 */
export function assertNotLocal(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const { has, why } of localClasses) if (has(value)) throw new DOMException(why, "DataCloneError");
}
