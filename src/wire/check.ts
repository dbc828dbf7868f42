// Checks of what callers pass, in one grammar: `Cannot <action> as '<name>' must be <wanted>: received <value>`.
// A wrong type is a TypeError, a value out of range a RangeError. `undefined` passes every check: the option was not given.

/** Throws a TypeError: `Cannot <action> as <reason>: received <value>`. */
export function refuse(action: string, reason: string, value: unknown, advice = ""): never {
  throw new TypeError(`Cannot ${action} as ${reason}: received ${show(value)}${advice}`);
}

/** Throws a TypeError about an option of the wrong type. */
export function refuseKind(action: string, name: string, wanted: string, value: unknown): never {
  refuse(action, `'${name}' must be ${wanted}`, value);
}

/** Throws a RangeError about an option that is out of range. */
export function refuseRange(action: string, name: string, wanted: string, value: unknown): never {
  throw new RangeError(`Cannot ${action} as '${name}' must be ${wanted}: received ${show(value)}`);
}

/** Whether a value is an object, and no array: the indices of one would be taken for names. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The names of the options of an interface.
 *
 * @param names All of them: a missing name does not compile, nor does one that the interface does not have.
 */
export function optionNames<Options>(names: Record<keyof Options, true>): readonly string[] {
  return Object.keys(names);
}

/**
 * Checks that options are an object without names that mean nothing: `max_workers` would be ignored otherwise.
 *
 * @param known The names of the options that there are.
 */
export function checkOptions(action: string, options: unknown, known: readonly string[]): void {
  if (!isRecord(options)) refuse(action, "its options must be an object", options);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new TypeError(`Cannot ${action} as ${aboutUnknown(name, known)}`);
  }
}

function aboutUnknown(name: string, known: readonly string[]): string {
  const meant = closest(name, known), hint = meant ? `did you mean '${meant}'?` : `the options are ${known.join(", ")}`;
  return `there is no option '${name}': ${hint}`;
}

/** The option that a name is likely to stand for: by another spelling, a part of it, or with up to 40 % of it mistyped. */
function closest(name: string, known: readonly string[]): string | undefined {
  const given = plain(name);
  const inOrder = known.map((option) => {
    const wanted = plain(option);
    const [short, long] = given.length < wanted.length ? [given, wanted] : [wanted, given];
    const distance = short.length >= 4 && long.includes(short) ? 0.5 : editsBetween(given, wanted);
    return { option, distance: given === wanted ? 0 : distance };
  }).sort((a, b) => a.distance - b.distance);
  const [best] = inOrder;
  return best && best.distance <= given.length * 0.4 ? best.option : undefined;
}

function plain(name: string): string {
  return name.replace(/[^a-z0-9]/gi, "").toLowerCase();
}

/** How many letters have to be added, removed or replaced to make `b` of `a`. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

export function checkBoolean(action: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") refuseKind(action, name, "a boolean", value);
}

export function checkString(action: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "string") refuseKind(action, name, "a string", value);
}

export function checkArray(action: string, name: string, value: unknown): void {
  if (value !== undefined && !Array.isArray(value)) refuseKind(action, name, "an array", value);
}

export function checkFunction(action: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") refuseKind(action, name, "a function", value);
}

export function checkSignal(action: string, name: string, value: unknown): void {
  if (value !== undefined && !(value instanceof AbortSignal)) refuseKind(action, name, "an AbortSignal", value);
}

/** Checks a number, which may be infinite, but not NaN. */
export function checkNumber(action: string, name: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "number") refuseKind(action, name, "a number", value);
  if (Number.isNaN(value)) refuseRange(action, name, "a number", value);
}

/** Checks a duration in milliseconds. */
export function checkDuration(action: string, name: string, value: unknown): void {
  checkNumber(action, name, value);
  if (value !== undefined && (value as number) < 0) refuseRange(action, name, ">= 0", value);
}

export function checkPositiveInteger(action: string, name: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "number") refuseKind(action, name, "a number", value);
  if (!Number.isSafeInteger(value) || (value as number) < 1) refuseRange(action, name, "a positive integer", value);
}

/** Checks custom error classes. */
export function checkErrorTypes(action: string, errorTypes: unknown): void {
  checkArray(action, "errorTypes", errorTypes);
  for (const type of errorTypes as unknown[]) {
    if (typeof type !== "function" || !(type.prototype instanceof Error)) {
      refuseKind(action, "errorTypes", "an array of classes of errors", type);
    }
  }
}

/** Shows a value in a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return value.name ? `the function ${value.name}` : "an anonymous function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}
