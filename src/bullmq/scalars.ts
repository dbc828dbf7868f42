// The texts of the values that most calls have: a number, a boolean, null, undefined or a short text, or a few of them in an
// array, as arguments are. They are what devalue writes and checkFlat() lets pass, without either: trivial calls, one after
// another, take their host and their submitter 5 to 8 % less processor time for it (Node 24).

/** Maximum length of a text in them: longer ones may not fit, which is for the others to say. */
const LONGEST = 64;

/** Maximum number of elements. */
const MOST = 8;

/** What stands for undefined. */
const UNDEFINED = -1;

/** The numbers of the elements in a list. */
const NUMBERS = Array.from({ length: MOST + 1 }, (_, count) => Array.from({ length: count }, (_, i) => i + 1));

/** A value as text, and its size as checkFlat() counts it. */
interface Written {
  readonly text: string;
  readonly size: number;
}

/** A value that was read, and its size. */
interface Read {
  readonly value: unknown;
  readonly size: number;
}

/** Writes a value; `undefined` when it is no such one. */
export function writeScalars(value: unknown): Written | undefined {
  if (value === undefined) return { text: String(UNDEFINED), size: 0 };
  if (!Array.isArray(value)) {
    const text = writeOne(value);
    return text === undefined ? undefined : { text: `[${text}]`, size: sizeOf(value) };
  }
  const { length } = value;
  if (length > MOST) return undefined;
  let text = `[[${NUMBERS[length]}]`, size = 0;
  for (let i = 0; i < length; i++) {
    const element: unknown = value[i], one = writeOne(element);
    if (one === undefined) return undefined;
    text += `,${one}`;
    size += sizeOf(element);
  }
  return { text: `${text}]`, size };
}

function writeOne(value: unknown): string | undefined {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : undefined;
    case "string":
      return value.length <= LONGEST ? JSON.stringify(value) : undefined;
    case "boolean":
      return String(value);
    default:
      return value === null ? "null" : undefined;
  }
}

/** Reads what JSON.parse() has made of a text; `undefined` when it may be anything else. */
export function readScalars(flat: unknown): Read | undefined {
  if (flat === UNDEFINED) return { value: undefined, size: 0 };
  if (!Array.isArray(flat) || flat.length === 0 || flat.length > MOST + 1) return undefined;
  const [first, ...rest] = flat as readonly unknown[];
  if (!isObject(first)) return rest.length === 0 ? { value: first, size: sizeOf(first) } : undefined;
  if (!Array.isArray(first) || first.length !== rest.length) return undefined;
  let size = 0;
  for (let i = 0; i < rest.length; i++) {
    if (first[i] !== i + 1 || isObject(rest[i])) return undefined;
    size += sizeOf(rest[i]);
  }
  return { value: rest, size };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function sizeOf(value: unknown): number {
  return typeof value === "string" ? value.length : 0;
}
