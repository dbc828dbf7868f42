// A grammar of messages that no worker sends: real messages, with anything at all in place of any of their parts. They are
// recipes, which can be printed and shrunk, as the messages themselves may be too long to be written down.

import fc from "fast-check";
import { SEAL } from "../../src/wire/seal.ts";

/** What replaces a part: its maker, and what that makes it from. */
export interface Garbage {
  readonly make: string;
  readonly of: readonly Garbage[];
}

/** A message: the real one, and what replaces its parts. Parts are numbered in the order in which they are met. */
export interface Recipe {
  readonly message: string;
  readonly edits: readonly { readonly part: number; readonly becomes: Garbage | undefined }[];
}

const LONGEST_ARRAY = 2 ** 32 - 1;

/** A record of a failure, with every field that one can have. */
const failure = (nested: unknown[][] = [], errors: unknown[] | undefined = undefined) => ({
  kind: "error",
  classes: ["RangeError", "Error"],
  name: "RangeError",
  message: "forged",
  stack: "RangeError: forged\n    at nowhere",
  properties: [["code", 7], ["__proto__", { polluted: true }]],
  nested,
  errors,
});
const failures = () =>
  failure([["cause", failure([["cause", { kind: "value", value: 1 }]])]], [failure(), { kind: "value", value: [1] }]);

/** Messages of a worker that was handed three calls and has begun the first. It may not have said that it is up. */
const MESSAGES: Readonly<Record<string, () => unknown>> = {
  "an answer": () => [0, 100, 1],
  "answers": () => [0, 100, 1, "two", { three: 3 }],
  "results": () => ({ kind: "done", first: 0, results: [1], failures: undefined, spent: 100, full: false }),
  "a failure": () => ({ kind: "done", first: 0, results: [, 2], failures: [0, failures()], spent: 1, full: true }),
  "a thrown value": () => ({
    kind: "done",
    first: 0,
    results: [undefined],
    failures: [0, { kind: "value", value: { thrown: 1 } }],
    spent: 1,
    full: false,
  }),
  "begun": () => ({ kind: "begun", call: 0 }),
  "reports": () => ({ kind: "reports", call: 0, values: [1, { two: 2 }, "three"] }),
  "yields": () => ({ kind: "yields", call: 0, values: [1, "two", { three: 3 }] }),
  "pull": () => ({ kind: "pull", call: 0, input: 0, count: 16 }),
  "closed": () => ({ kind: "closed", call: 0, input: 0 }),
  "recalled": () => ({ kind: "recalled", first: 1 }),
  "unread": () => ({ kind: "unread" }),
  "draining": () => ({ kind: "draining" }),
  "ready": () => ({ kind: "ready" }),
  "unready": () => ({ kind: "unready", failure: failures() }),
  "finalized": () => ({ kind: "finalized", failure: failures() }),
  "bye": () => ({ kind: "bye", exitCode: 0, unbegun: 1, uncaught: false }),
  "nothing": () => undefined,
};

/** How often accessors were called. */
let looks = 0;

function accessors(): object {
  const keys = [
    "kind",
    "first",
    "results",
    "failures",
    "spent",
    "full",
    "call",
    "exitCode",
    "unbegun",
    "uncaught",
    "values",
    "input",
    "count",
  ];
  const more = [
    "failure",
    "classes",
    "name",
    "message",
    "stack",
    "properties",
    "nested",
    "errors",
    "value",
    "length",
    "0",
    "1",
  ];
  const made = {};
  for (const key of [...keys, ...more]) {
    Object.defineProperty(made, key, {
      enumerable: true,
      configurable: true,
      get() {
        looks++;
        throw new Error(`Somebody has called ${key}`);
      },
    });
  }
  return made;
}

function sparse(length: number, entries: Readonly<Record<number, unknown>> = {}): unknown[] {
  return Object.assign(new Array(length), entries);
}

/** Nests `depth` containers. */
function nest(depth: number, inner: unknown, around: (value: unknown) => unknown): unknown {
  let value = inner;
  for (let i = 0; i < depth; i++) value = around(value);
  return value;
}

const polluting = () =>
  JSON.parse(`{ "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } } }`);

/** Everything that can replace a part. */
const ATOMS: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(
    [undefined, null, true, "", "done", "error", "value", "__proto__", "constructor", "%s%o%j", "\x1b[2J\x07", "cause"]
      .map((value) => [JSON.stringify(value) ?? "undefined", () => value]),
  ),
  ...Object.fromEntries(
    [0, -0, -1, 1, 2, 0.5, NaN, Infinity, 2 ** 31, LONGEST_ARRAY, 2 ** 53, -(2 ** 53), 1e308, 10n ** 30n]
      .map((value) => [`the number ${Object.is(value, -0) ? "-0" : value}`, () => value]),
  ),
  "a text of 600": () => "a".repeat(600),
  "no elements": () => [],
  "a hole": () => [,],
  "two holes and an end": () => [, , 1],
  "4,096 holes": () => sparse(4096),
  "100,000 holes": () => sparse(100_000),
  "the longest array": () => sparse(LONGEST_ARRAY),
  "the longest array, with an end": () => sparse(LONGEST_ARRAY, { [LONGEST_ARRAY - 1]: 1 }),
  "the longest array, sealed": () => sparse(LONGEST_ARRAY, { [LONGEST_ARRAY - 1]: SEAL }),
  "27 nested pairs of the same": () => nest(27, 1, (value) => [value, value]),
  "27 nested pairs of the same, named": () => nest(27, 1, (value) => ({ a: value, b: value })),
  "27 nested arrays": () => nest(27, 1, (value) => [value]),
  "150 nested arrays": () => nest(150, 1, (value) => [value]),
  "27 nested longest arrays": () => nest(27, 1, (value) => sparse(LONGEST_ARRAY, { 0: value, 1: value })),
  "15 nested failures": () =>
    nest(15, failure(), (value) => failure([["cause", value], ["cause", value]], [value, value])),
  "20 nested failures": () =>
    nest(20, { kind: "value", value: 1 }, (value) => ({ ...failure(), stack: "", errors: [value, value] })),
  "a failure in itself": () => {
    const record = failures();
    record.errors!.push(record);
    return record;
  },
  "an array in itself": () => {
    const array: unknown[] = [];
    array.push(array);
    return array;
  },
  "a pretended array": () => ({ length: LONGEST_ARRAY, 0: 1 }),
  "an object": () => ({}),
  "what is no text nor number": () => ({ toString: 1, valueOf: 1 }),
  "what pollutes": polluting,
  "what could be awaited": () => ({ then: 1 }),
  "accessors": accessors,
  "a Map": () => new Map([["kind", "done"]]),
  "a Set": () => new Set([1]),
  "no Date": () => new Date(NaN),
  "a RegExp": () => /(a+)+$/,
  "an Error": () => new RangeError("of the line"),
  "bytes": () => new Uint8Array(8),
  "a buffer": () => new ArrayBuffer(8),
  "shared memory": () => new SharedArrayBuffer(8),
  "a boxed text": () => Object("text"),
  "a boxed number": () => Object(7n),
  "a failure": failures,
};

/** Everything that can be put around a part. */
const AROUND: Readonly<Record<string, (...parts: unknown[]) => unknown>> = {
  "in a list": (a, b) => [a, b],
  "after a hole": (a) => [, a],
  "at the start of the longest array": (a) => sparse(LONGEST_ARRAY, { 0: a }),
  "in a pair": (a) => ["x", a],
  "named by": (a, b) => [[a, b]],
  "in pairs": (a, b) => [["cause", a], ["x", b]],
  "as a thrown value": (value) => ({ kind: "value", value }),
  ...Object.fromEntries(
    ["kind", "classes", "name", "message", "stack", "properties", "nested", "errors"].map((key) => [
      `as the ${key} of a failure`,
      (value: unknown) => ({ ...failures(), [key]: value }),
    ]),
  ),
  "with a class": (name) => ({ ...failures(), classes: [name, "Error"] }),
  "as a cause": (cause) => failure([["cause", cause]]),
  "as members": (a, b) => failure([], [a, b]),
};

const atom = fc.constantFrom(...Object.keys(ATOMS)).map((make): Garbage => ({ make, of: [] }));
const around = fc.constantFrom(...Object.keys(AROUND));
const garbage: fc.Arbitrary<Garbage> = fc.letrec<{ garbage: Garbage }>((tie) => ({
  garbage: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.record({ make: around, of: fc.tuple(tie("garbage"), tie("garbage")) }),
  ),
})).garbage;

/** Recipes of messages. */
export const recipes: fc.Arbitrary<Recipe> = fc.record({
  message: fc.constantFrom(...Object.keys(MESSAGES)),
  edits: fc.array(
    fc.record({ part: fc.nat(99), becomes: fc.option(garbage, { nil: undefined, freq: 8 }) }),
    { maxLength: 3 },
  ),
});

/** Makes the message of a recipe. `looks` counts how often its accessors have been called since. */
export function make({ message, edits }: Recipe): { readonly message: unknown; readonly looks: () => number } {
  const whole = { message: MESSAGES[message]!() };
  for (const { part, becomes } of edits) {
    const parts = partsOf(whole);
    const [owner, key] = parts[part % parts.length]!;
    if (becomes) {
      Object.defineProperty(owner, key, { value: grow(becomes), writable: true, enumerable: true, configurable: true });
    } else if (owner !== whole) delete (owner as Record<string, unknown>)[key];
  }
  const before = looks;
  return { message: whole.message, looks: () => looks - before };
}

function grow({ make, of }: Garbage): unknown {
  return ATOMS[make] ? ATOMS[make]() : AROUND[make]!(...of.map(grow));
}

/** Lists the places in a message where something else could be. */
function partsOf(whole: object): [object, string][] {
  const parts: [object, string][] = [];
  const rest: object[] = [whole];
  const met = new Set<object>();
  for (let owner = rest.shift(); owner; owner = rest.shift()) {
    if (met.has(owner)) continue;
    met.add(owner);
    for (const [key, { value, configurable }] of Object.entries(Object.getOwnPropertyDescriptors(owner)).slice(0, 30)) {
      if (!configurable) continue; // the length of an array
      parts.push([owner, key]);
      if (isPlain(value) && parts.length < 100) rest.push(value);
    }
  }
  return parts;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** Estimates how many bytes a message takes on a line: by its contents, each once, not by the length that it claims. */
export function sizeOf(message: unknown): number {
  const met = new Set<unknown>();
  const rest = [message];
  let size = 0;
  while (rest.length > 0) {
    const value = rest.pop();
    size += typeof value === "string" ? value.length + 2 : 4;
    if (typeof value !== "object" || value === null || met.has(value)) continue;
    met.add(value);
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      size += Array.isArray(value) ? 2 : key.length + 2;
      rest.push(property.value);
    }
  }
  return size;
}

/** Seals a message as a line does, if it can be sealed. */
export function sealed(message: unknown): unknown {
  if (!Array.isArray(message)) return [message, SEAL];
  if (message.length < LONGEST_ARRAY) message.push(SEAL);
  else message[LONGEST_ARRAY - 1] = SEAL;
  return message;
}
