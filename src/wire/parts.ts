// Lists what is inside a value, without calling anything of it: no getter, no iterator, no method that it may have replaced. A
// getter may return one thing to a check, and another when the value is sent.

/** Elements of an array that are listed as properties, one by one. */
export const FEW = 64;

/** How deep, and at how many objects, {@linkcode glance} looks. */
const SHALLOW = 200, MANY = 100_000;

/** With more holes, an array is listed by its properties: its length may be in the billions. */
const MOST_HOLES = 1024;

const NONE: readonly unknown[] = [];

/** In place of the value of a getter. */
export const UNKNOWN: object = Object.freeze(Object.create(null));

// Taken before a program can replace them.
const forEachOfMap = uncurry(Map.prototype.forEach), forEachOfSet = uncurry(Set.prototype.forEach);

function uncurry<This, Args extends unknown[], R>(method: (this: This, ...args: Args) => R) {
  return Function.prototype.call.bind(method) as (on: This, ...args: Args) => R;
}

/** Whether a value has no parts and can always be sent: it is no object, no function and no symbol. */
export function isSimple(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

/** Whether this is an array. `Array.isArray()` throws for a revoked Proxy. */
function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * The values of the own enumerable properties of an object or array, in the order in which they are sent, without the simple
 * ones.
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

/** The elements of a long array, read directly: nobody defines getters there. `undefined` when it is mostly holes. */
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

/** The keys and values of a Map, without the simple ones. */
export function partsOfMap(map: Map<unknown, unknown>): readonly unknown[] {
  const parts: unknown[] = [];
  forEachOfMap(map, (value, key) => {
    if (!isSimple(key)) parts.push(key);
    if (!isSimple(value)) parts.push(value);
  });
  return parts;
}

/** The values of a Set, without the simple ones. */
export function partsOfSet(set: Set<unknown>): readonly unknown[] {
  const parts: unknown[] = [];
  forEachOfSet(set, (value) => {
    if (!isSimple(value)) parts.push(value);
  });
  return parts;
}

/** The parts of an error: its cause. All else that is sent of it are strings. */
export function partsOfError(error: Error): readonly unknown[] {
  const cause = Object.getOwnPropertyDescriptor(error, "cause");
  return cause && "value" in cause ? [cause.value] : NONE;
}

/** The own property of an object, unless it is an accessor. */
export function ownProperty(object: object, key: PropertyKey): { readonly value?: unknown } | undefined {
  const property = Object.getOwnPropertyDescriptor(object, key);
  return property && "value" in property ? property : undefined;
}

/** The value of an own property; `undefined` also when there is none, or it is an accessor. */
export function ownValue(object: object, key: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}

/** Whether this is an array without holes. Its elements are added to `elements`, up to the first hole: its length may be a lie. */
export function isList(list: unknown, elements: unknown[]): boolean {
  if (!Array.isArray(list)) return false;
  for (let i = 0; i < list.length; i++) {
    const element = ownProperty(list, i);
    if (!element) return false;
    elements.push(element.value);
  }
  return true;
}

/** Whether this is an array of strings, at most `most` of at most `longest` characters. */
export function isListOfNames(list: unknown, most: number, longest: number): boolean {
  if (!Array.isArray(list) || list.length > most) return false;
  for (let i = 0; i < list.length; i++) {
    const name = ownValue(list, i);
    if (typeof name !== "string" || name.length > longest) return false;
  }
  return true;
}

/** Whether this is an array of pairs of a string and a value. The values are added to `values`. */
export function isListOfPairs(list: unknown, values?: unknown[]): boolean {
  if (!Array.isArray(list)) return false;
  for (let i = 0; i < list.length; i++) {
    const pair = ownValue(list, i);
    if (!Array.isArray(pair) || pair.length !== 2 || typeof ownValue(pair, 0) !== "string") return false;
    const second = ownProperty(pair, 1);
    if (!second) return false;
    values?.push(second.value);
  }
  return true;
}

/**
 * Checks quickly whether values are trees of plain data, as most are. It does not note what it has seen.
 *
 * @param values The values.
 * @param isPlain Whether an object is nothing but its properties.
 * @param isWhole Whether an array is nothing but its elements.
 * @param careful How many objects are checked without calling their getters. Those of later objects are called.
 * @returns Whether they are, and are neither deep nor huge; otherwise it takes a {@linkcode walk} to tell.
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
 * Visits values and everything inside them, once each, in the order in which they are sent.
 *
 * @param values The values.
 * @param look Gets each value that is not simple, and returns its parts.
 * @param deepest How deep the values may be nested.
 * @returns Whether they are not deeper; it stops where they are.
 */
export function walk(
  values: readonly unknown[],
  look: (part: unknown) => readonly unknown[],
  deepest: number,
): boolean {
  const seen = new Set<unknown>();
  // The lists of parts that enclose the current one, and how far each was visited.
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
