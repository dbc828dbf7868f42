// Checks a value as devalue flattens it: a list whose entries refer to each other by number. It comes from another program, and
// a hundred characters can stand for a value that takes hours to make, or more memory than there is. So it is checked before
// anything is made of it: in linear time, by what it has and not by what it claims. Only what encode() writes passes.

/**
 * Maximum depth of a value. devalue and structured clone recurse, and 5,000 levels are too deep for the stacks of Deno (2.9) and
 * Node (24). A thousand levels cross to threads and processes, so they cross here; the rest is for the records around them.
 */
export const DEEPEST = 1100;

/** Maximum number of digits of a bigint. JavaScriptCore (Bun 1.4) cannot have 400,000, and takes 8 ms to read this many. */
const MOST_DIGITS = 100_000;

/** As many bits as that many digits may need. */
const MOST_BITS = 332_194;

/** Refuses a bigint with too many digits by its size: to write 15 million of them takes V8 (Node 24) 40 s. */
export function checkBigInt(value: bigint): void {
  if (BigInt.asIntN(MOST_BITS, value) !== value) refuse(`A bigint of more than ${MOST_DIGITS} digits`);
}

/** Maximum length of a regular expression. Bun (1.4) takes 0.25 s for named groups in this many characters, 131 s in 600,000. */
const LONGEST_REGEXP = 16_384;

/** Maximum number of properties, `\p{...}`, in all regular expressions of a value: V8 takes up to 2.5 ms for each. */
const MOST_PROPERTIES = 32;

/** Maximum number of classes of an error: more than toFailure() names. */
const MOST_CLASSES = 32;

/** devalue's numbers for values that are no entries, up to -0. A hole can be in an array only. */
const UNDEFINED = -1, HOLE = -2, NAN = -3, MINUS_ZERO = -6;

/** The classes of views of a buffer, and how many bytes an element has. */
const VIEWS: ReadonlyMap<string, number> = new Map([
  ...[["Int8Array", 1], ["Uint8Array", 1], ["Uint8ClampedArray", 1], ["DataView", 1], ["Int16Array", 2]] as const,
  ...[["Uint16Array", 2], ["Float16Array", 2], ["Int32Array", 4], ["Uint32Array", 4], ["Float32Array", 4]] as const,
  ...[["Float64Array", 8], ["BigInt64Array", 8], ["BigUint64Array", 8]] as const,
]);

/** Tags of what devalue writes and structured clone refuses. */
const NOT_CLONED = /^(URL|URLSearchParams|Temporal\.\w+)$/;

const NONE: readonly unknown[] = [];

/** An entry on the way down, with the entries that it refers to. */
interface Frame {
  readonly names: readonly unknown[];
  /** The index of the first that has not been checked. */
  next: number;
  /** Whether holes may be among them. */
  readonly holes: boolean;
}

/**
 * Checks a flattened value.
 *
 * @param flat The value that `JSON.parse()` has made of a text.
 * @param limit The maximum size of the value: the characters of its texts, each counted as often as it is met, as structured
 * clone writes it out each time, and the bytes of views.
 * @param isFailure Whether it must be the record of a failure.
 * @returns That size.
 * @throws {TypeError} when encode() cannot have written it.
 * @throws {DOMException} a DataCloneError, when the value cannot be sent to another machine.
 * @throws {RangeError} when the value is too large.
 */
export function checkFlat(flat: unknown, limit: number, isFailure = false): number {
  if (isSpecial(flat) && !isFailure) return 0;
  if (!Array.isArray(flat) || flat.length === 0) malformed();
  return new Check(flat, limit).all(isFailure);
}

class Check {
  readonly #flat: readonly unknown[];
  readonly #limit: number;
  readonly #met: Uint8Array;
  readonly #errors: number[] = [];
  #size = 0;
  #properties = 0;

  constructor(flat: readonly unknown[], limit: number) {
    this.#flat = flat;
    this.#limit = limit;
    this.#met = new Uint8Array(flat.length);
  }

  /** Visits the entries in the order in which devalue makes them, so that the depth is the same. */
  all(isFailure: boolean): number {
    const frames: Frame[] = [];
    const meet = (name: unknown) => {
      const entry = this.#named(name);
      if (this.#met[name as number]) return;
      this.#met[name as number] = 1;
      const frame = this.#look(entry);
      if (frame.next >= frame.names.length) return;
      if (frames.push(frame) > DEEPEST) refuse(`A value that is nested more than ${DEEPEST} deep`);
    };
    meet(0);
    for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
      if (frame.next === frame.names.length) frames.pop();
      else {
        const name = frame.names[frame.next++];
        if (!isSpecial(name) && !(name === HOLE && frame.holes)) meet(name);
      }
    }
    if (isFailure) this.#errors.push(0);
    this.#checkErrors();
    return this.#size;
  }

  /** The entry with that number; counts its size. */
  #named(name: unknown): unknown {
    if (!isCount(name) || name >= this.#flat.length) malformed();
    const entry = this.#flat[name];
    if (typeof entry === "string") this.#spend(entry.length);
    else if (Array.isArray(entry) && entry[0] === "BigInt") this.#spend(textOf(entry[1]).length);
    return entry;
  }

  #spend(size: number): void {
    this.#size += size;
    if (this.#size <= this.#limit) return;
    throw new RangeError(
      `Cannot send a value whose texts have more than ${this.#limit} characters in all, each counted as often as it ` +
        "occurs: store it where the hosts can read it, and send its name",
    );
  }

  /** Checks one entry, and finds the entries that it refers to. */
  #look(entry: unknown): Frame {
    if (typeof entry !== "object" || entry === null) return named(NONE);
    if (!Array.isArray(entry)) {
      // devalue refuses to make a property of this name.
      if (Object.hasOwn(entry, "__proto__")) malformed();
      return named(Object.values(entry));
    }
    return typeof entry[0] === "string" ? this.#lookAtTagged(entry[0], entry) : named(entry, 0, true);
  }

  #lookAtTagged(tag: string, entry: readonly unknown[]): Frame {
    const [, first, second, third] = entry, { length } = entry;
    const size = VIEWS.get(tag);
    if (size !== undefined) {
      const buffer = this.#flat[first as number];
      if (!Array.isArray(buffer) || buffer[0] !== "ArrayBuffer" || (length !== 2 && length !== 4)) malformed();
      if (length === 2) this.#spend(textOf(buffer[1]).length);
      else if (isCount(second) && isCount(third)) this.#spend(third * size);
      else malformed();
      return named([first]);
    }
    switch (tag) {
      case "Set":
        return named(entry, 1);
      case "Map":
        if (length % 2 === 0) malformed();
        return named(entry, 1);
      case "Object":
        if (length !== 2 || !this.#isBoxable(first)) malformed();
        return named([first]);
      case "Error":
        if (length !== 2 || !isCount(first)) malformed();
        this.#errors.push(first);
        return named([first]);
      case "Date":
        if (length !== 2 || !/^$|^[+-]?\d{4,6}-[\d:T.-]{1,20}Z$/.test(textOf(first))) malformed();
        return named(NONE);
      case "BigInt":
        if (length !== 2 || textOf(first).length > MOST_DIGITS) refuse(`A bigint of more than ${MOST_DIGITS} digits`);
        if (!/^-?\d+$/.test(textOf(first))) malformed();
        return named(NONE);
      case "RegExp":
        this.#lookAtRegExp(textOf(first), length === 2 ? "" : textOf(second));
        return named(NONE);
      case "ArrayBuffer":
        if (length !== 2 || typeof first !== "string") malformed();
        return named(NONE);
    }
    if (NOT_CLONED.test(tag)) refuse(`A ${tag}`);
    return malformed();
  }

  #isBoxable(name: unknown): boolean {
    if (isSpecial(name)) return name !== UNDEFINED;
    const entry = this.#flat[name as number];
    return ["string", "number", "boolean"].includes(typeof entry) || (Array.isArray(entry) && entry[0] === "BigInt");
  }

  #lookAtRegExp(source: string, flags: string): void {
    if (source.length > LONGEST_REGEXP) refuse(`A regular expression of more than ${LONGEST_REGEXP} characters`);
    if (flags.length > 10) malformed();
    this.#properties += source.match(/\\p/gi)?.length ?? 0;
    if (this.#properties > MOST_PROPERTIES) refuse(`More than ${MOST_PROPERTIES} properties in regular expressions`);
  }

  /**
   * Checks that no two errors share a record, and no two records a list. Each owner has them made again, so the work for shared
   * ones would be the product of their numbers.
   */
  #checkErrors(): void {
    const owners = new Map<unknown, number>(), lists = new Set<unknown>();
    for (const error of this.#errors) {
      if (owners.has(error)) malformed();
      owners.set(error, error);
      const records: unknown[] = [error];
      for (const record of records) { // which become more
        for (const part of this.#partsOf(record as number, lists)) {
          const owner = owners.get(part);
          if (owner === error) continue; // a cycle of causes, say
          if (owner !== undefined) malformed();
          owners.set(part, error);
          records.push(part);
        }
      }
    }
  }

  /** The records inside a record. */
  #partsOf(record: number, lists: Set<unknown>): unknown[] {
    const entry = this.#flat[record];
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) malformed();
    const { classes, name, message, stack, properties, nested, errors } = entry as Record<string, unknown>;
    // What is missing is found when the error is made. Other values in place of texts are not: their text may be very long.
    const texts = isCount(classes) ? arrayOf(this.#flat[classes]) : NONE;
    if (texts.length > MOST_CLASSES) malformed();
    for (const text of [name, message, stack, ...texts]) if (isCount(text)) textOf(this.#flat[text]);
    const [, pairs, members] = [properties, nested, errors].map((list) => {
      if (!isCount(list)) return NONE;
      if (lists.has(list)) malformed();
      lists.add(list);
      return arrayOf(this.#flat[list]);
    });
    return [...pairs!.map((pair) => arrayOf(this.#flat[pair as number])[1]), ...members!];
  }
}

function named(names: readonly unknown[], next = 0, holes = false): Frame {
  return { names, next, holes };
}

/** Whether it stands for a value that is no entry. */
function isSpecial(name: unknown): boolean {
  return name === UNDEFINED || (Number.isInteger(name) && (name as number) <= NAN && (name as number) >= MINUS_ZERO);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : malformed();
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : malformed();
}

function malformed(): never {
  throw new TypeError("The text is not the encoding of a value");
}

function refuse(what: string): never {
  throw new DOMException(`${what} cannot be sent to another machine`, "DataCloneError");
}
