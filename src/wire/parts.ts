// What is inside a value, found without calling anything of it: no getter, no iterator, no method that it may have replaced.
// A check that calls what it checks has seen something else than what is sent.

/** Of an array of so many elements, each is looked at by itself, as the properties of an object are. */
export const FEW = 64;

/** How deep, and at how many objects, a glance goes. */
const SHALLOW = 200, MANY = 100_000;

/** With more holes, an array is looked at by what it has: its length may be in the billions. */
const MOST_HOLES = 1024;

const NONE: readonly unknown[] = [];

/** In place of what only a getter can tell. */
export const UNKNOWN: object = Object.freeze(Object.create(null));

// As they are before a program can replace them.
const forEachOfMap = uncurry(Map.prototype.forEach), forEachOfSet = uncurry(Set.prototype.forEach);

function uncurry<This, Args extends unknown[], R>(method: (this: This, ...args: Args) => R) {
  return Function.prototype.call.bind(method) as (on: This, ...args: Args) => R;
}

/** Whether a value has no parts, and is nothing but data: symbols and functions are not. */
export function isSimple(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

/** Whether this is an array; of a Proxy that was revoked, the language's own question throws. */
function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * The own enumerable properties of an object, or the elements and the others of an array, in the order in which they are
 * sent; simple ones are left out.
 *
 * @param value The object, which is no Proxy.
 * @param hasOthers Whether a long array has other properties than its elements.
 */
export function partsOf(value: object, hasOthers: (array: unknown[]) => boolean): readonly unknown[] {
  if (Array.isArray(value) && value.length > FEW && !hasOthers(value)) {
    const elements = elementsOf(value);
    if (elements) return elements;
  }
  let parts: unknown[] | undefined;
  for (const key of Object.keys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    const part = "value" in property ? property.value : UNKNOWN;
    if (!isSimple(part)) (parts ??= []).push(part);
  }
  return parts ?? NONE;
}

/** Those of a long array, of which nobody makes one a getter; nothing when it is mostly holes. */
function elementsOf(array: unknown[]): readonly unknown[] | undefined {
  let parts: unknown[] | undefined, holes = 0;
  for (let i = 0; i < array.length; i++) {
    const part = array[i];
    if (part === undefined) {
      if (!Object.hasOwn(array, i) && ++holes > MOST_HOLES) return undefined;
    } else if (!isSimple(part)) (parts ??= []).push(part);
  }
  return parts ?? NONE;
}

/** The keys and values of a Map. */
export function partsOfMap(map: Map<unknown, unknown>): readonly unknown[] {
  const parts: unknown[] = [];
  forEachOfMap(map, (value, key) => {
    if (!isSimple(key)) parts.push(key);
    if (!isSimple(value)) parts.push(value);
  });
  return parts;
}

/** The values of a Set. */
export function partsOfSet(set: Set<unknown>): readonly unknown[] {
  const parts: unknown[] = [];
  forEachOfSet(set, (value) => {
    if (!isSimple(value)) parts.push(value);
  });
  return parts;
}

/** What is sent of an error besides texts. */
export function partsOfError(error: Error): readonly unknown[] {
  const cause = Object.getOwnPropertyDescriptor(error, "cause");
  return cause && "value" in cause ? [cause.value] : NONE;
}

/**
 * Looks at values as quickly as can be, which is enough for most of them: it keeps no note of what it has seen.
 *
 * @param values The values.
 * @param isPlain Whether an object has nothing to it but its properties.
 * @param isWhole Whether an array has nothing to it but its elements.
 * @param careful How many objects are looked at without calling their getters; of more, they are called.
 * @returns Whether they are trees of data, not deep and not huge; otherwise it takes a {@linkcode walk} to tell.
 */
export function glance(
  values: readonly unknown[],
  isPlain: (value: object) => boolean,
  isWhole: (array: unknown[]) => boolean,
  careful = Infinity,
): boolean {
  let left = MANY;
  const hurry = MANY - careful;
  for (let i = 0; i < values.length; i++) if (!isSimple(values[i]) && !glanceAt(values[i], 0)) return false;
  return true;

  function glanceAt(value: unknown, depth: number): boolean {
    if (typeof value !== "object" || depth === SHALLOW || left-- === 0) return false;
    if (isArray(value)) {
      if (left >= hurry && !isWhole(value)) return false;
      for (let i = 0; i < value.length; i++) {
        const element = value[i];
        if (element === undefined) {
          if (!Object.hasOwn(value, i)) return false;
        } else if (!isSimple(element) && !glanceAt(element, depth + 1)) return false;
      }
      return true;
    }
    if (!isPlain(value as object)) return false;
    if (left < hurry) {
      for (const key in value) {
        const part = (value as Record<string, unknown>)[key];
        if (!isSimple(part) && !glanceAt(part, depth + 1)) return false;
      }
      return true;
    }
    for (const key of Object.keys(value as object)) {
      const property = Object.getOwnPropertyDescriptor(value, key)!;
      if (!("value" in property)) return false;
      if (!isSimple(property.value) && !glanceAt(property.value, depth + 1)) return false;
    }
    return true;
  }
}

/**
 * Looks at values and all that is in them, once each, in the order in which they are sent.
 *
 * @param values The values.
 * @param look Gets a value that is not simple, and returns its parts.
 * @param deepest How deep they may be nested.
 * @returns Whether they are nested no deeper.
 */
export function walk(
  values: readonly unknown[],
  look: (part: unknown) => readonly unknown[],
  deepest: number,
): boolean {
  const seen = new Set<unknown>();
  // What encloses the parts that are being looked at, and how far each of them is.
  const outer: (readonly unknown[])[] = [], positions: number[] = [];
  let parts = values, at = 0;
  for (;;) {
    while (at === parts.length) {
      if (outer.length === 0) return true;
      parts = outer.pop()!;
      at = positions.pop()!;
    }
    const part = parts[at++];
    if (isSimple(part) || seen.has(part)) continue;
    seen.add(part);
    if (outer.length === deepest) return false;
    const inner = look(part);
    if (inner.length === 0) continue;
    outer.push(parts);
    positions.push(at);
    parts = inner;
    at = 0;
  }
}
