// Reads data that another program has sent by what it has of its own: no getter and no method of it is called, and an array
// is as long as what it holds, not as it claims.

/** The own property of an object, unless it is an accessor. */
export function ownProperty(object: object, key: PropertyKey): { readonly value?: unknown } | undefined {
  const property = Object.getOwnPropertyDescriptor(object, key);
  return property && "value" in property ? property : undefined;
}

/** The value of an own property; `undefined` also when there is none, or it is an accessor. */
export function ownValue(object: object, key: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}

/** Whether this is an array without holes. Its elements are added to `elements`, up to the first hole. */
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
