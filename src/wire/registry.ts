// The functions that task() was given, in the program and in its workers. A worker finds a task here rather than among the
// exports of its module: build tools rename exports and functions, and put many modules into one file.

import type { TaskRef } from "./messages.ts";

/** The name of a function that task() was given. */
export type NamedRef = Extract<TaskRef, { kind: "export" }>;

interface Registered {
  readonly ref: NamedRef;
  readonly fn: (...args: never[]) => unknown;
}

// A registered symbol: a task's copy of this package registers its functions where the worker's copy looks for them.
const REGISTRY: unique symbol = Symbol.for("@concurrent/futures/registry") as never;

/** By the URL of their module, in the order of the calls of task(). */
const registry: Map<string, Registered[]> = ((globalThis as { [REGISTRY]?: typeof registry })[REGISTRY] ??= new Map());

/**
 * Registers a function.
 *
 * @param ref Its name.
 * @param fn The function.
 * @returns Its name, with its number.
 */
export function register(ref: NamedRef, fn: Registered["fn"]): NamedRef {
  const numbered = { ...ref, number: countOf(ref) };
  const ofModule = registry.get(ref.module);
  if (ofModule) ofModule.push({ ref: numbered, fn });
  else registry.set(ref.module, [{ ref: numbered, fn }]);
  return numbered;
}

/** How many functions the module of this one has registered so far. In a bundle, only the names of modules tell them apart. */
export function countOf(ref: NamedRef): number {
  return groupOf(ref, registry.get(ref.module)).length;
}

/**
 * Finds a function that was registered in this worker, by a module of the same URL.
 *
 * The program and its worker may have two builds of a module, such as a bundle and its source. So a number is trusted only with
 * the same name, or with a name that means nothing here, if as many functions are registered here as there. A name is trusted
 * only when a single function has it: in a bundle, two modules may have the same names.
 *
 * @param ref The name of the function.
 */
export function findRegistered(ref: NamedRef): Registered["fn"] | undefined {
  const all = registry.get(ref.module) ?? [];
  const group = ref.number === undefined ? all : groupOf(ref, all);
  const numbered = ref.number === undefined ? undefined : group[ref.number];
  if (numbered && ref.name !== "" && numbered.ref.name === ref.name) return numbered.fn;
  const named = ref.name === "" ? [] : group.filter((it) => it.ref.name === ref.name);
  if (named.length === 1) return named[0]!.fn;
  if (named.length === 0 && !ref.named && group.length === ref.of) return numbered?.fn;
  return undefined;
}

/**
 * Finds a function that was registered in this worker by a module of any URL, as in a worker that was bundled by itself. Only
 * names that the program has given count, of the function or of its module: others are made up by a build tool, and another
 * function may have the same in another bundle.
 *
 * @param ref The name of the function.
 */
export function findElsewhere(ref: NamedRef): Registered["fn"] | undefined {
  const group = groupOf(ref, [...registry.values()].flat());
  if (ref.named) {
    const found = group.filter((it) => it.ref.named && it.ref.name === ref.name);
    return found.length === 1 ? found[0]!.fn : undefined;
  }
  if (ref.registered === undefined || ref.number === undefined || group.length !== ref.of) return undefined;
  return group[ref.number]!.fn;
}

/** Those among some functions whose module has the same name. */
function groupOf({ registered }: NamedRef, all: readonly Registered[] = []): readonly Registered[] {
  return all.filter((it) => it.ref.registered === registered);
}
