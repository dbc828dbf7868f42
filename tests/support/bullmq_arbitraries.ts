// Random values, jobs and replies, right or nearly right, as they may be in a queue.

import { randomInt } from "node:crypto";
import process from "node:process";
import fc from "fast-check";
import { encode } from "../../src/bullmq/codec.ts";

// --- flattened values: entries that name others, some of which are there

const ENTRIES = 30;

const wrong = fc.constantFrom<unknown>(-2, -7, -8, 0.5, 1e99, 2 ** 32 - 1, null, "0", "__proto__", [], [[[]]], {});
const name = fc.oneof(
  { weight: 20, arbitrary: fc.nat(ENTRIES) },
  { weight: 4, arbitrary: fc.constantFrom(-1, -3, -4, -5, -6) },
  { weight: 1, arbitrary: wrong },
);
const names = fc.array(name, { maxLength: 8 });
/** One name very often. */
const repeated = fc.tuple(fc.nat(ENTRIES), fc.nat(5000)).map(([name, times]) => Array<unknown>(times).fill(name));
const long = fc.tuple(fc.constantFrom("9", "x", "(", "(?<a>", "\\p{RGI_Emoji}", "AAAA", "-1"), fc.nat(5000)).map(
  ([part, times]) => part.repeat(times),
);
const word = fc.constantFrom("error", "value", "RangeError", "Error", "DOMException", "cause", "constructor", "x", "");
const key = fc.oneof(word, fc.constantFrom("__proto__", "then", "length", "toString", "99999", "4294967294"));
const tag = fc.constantFrom(
  ...[
    "Set",
    "Map",
    "Object",
    "Date",
    "BigInt",
    "RegExp",
    "ArrayBuffer",
    "Uint8Array",
    "Float64Array",
    "DataView",
    "URL",
  ],
  ...["Temporal.Duration", "null", "Error", "Function", "__proto__"],
);
const classes = fc.array(fc.nat(ENTRIES), { maxLength: 20 });
const record = fc.record({
  ...{ kind: fc.oneof(fc.constantFrom(1, 2), name), classes: name, name: name, message: name, stack: name },
  ...{ properties: name, nested: name, errors: name, value: name },
}, { requiredKeys: ["kind"] });
const entry: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: names },
  { weight: 1, arbitrary: repeated },
  { weight: 1, arbitrary: classes },
  { weight: 3, arbitrary: fc.oneof(word, long, fc.double({ noNaN: true }), fc.boolean(), fc.constant(null)) },
  { weight: 2, arbitrary: fc.dictionary(key, name, { maxKeys: 6, noNullPrototype: true }) },
  { weight: 4, arbitrary: record },
  { weight: 4, arbitrary: fc.tuple(fc.constant("Error"), name) },
  { weight: 4, arbitrary: fc.tuple(tag, names).map(([tag, names]) => [tag, ...names]) },
  { weight: 2, arbitrary: fc.tuple(tag, fc.oneof(long, word)).map((tagged) => tagged) },
  { weight: 1, arbitrary: fc.tuple(tag, repeated).map(([tag, names]) => [tag, ...names]) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom("RegExp"), long, fc.constantFrom("", "v", "iu", "gg", "x")) },
  { weight: 1, arbitrary: fc.tuple(fc.constant(-7), fc.nat(2 ** 32 - 1), fc.nat(100), name) },
);
/** A flattened value, as text. The words "error" and "value" are always in it: so records of errors are often nearly right. */
export const flatText: fc.Arbitrary<string> = fc.tuple(entry, fc.array(entry, { maxLength: ENTRIES - 2 })).map((
  [first, others],
) => JSON.stringify([first, "error", "value", ...others]));

// --- values that are right, and changes to what they are encoded as

/** devalue makes no property of this name. */
const anyKey = fc.string().filter((key) => key !== "__proto__");
/** A value that structured clone takes. */
export const anyValue: fc.Arbitrary<unknown> = fc.anything({
  key: anyKey,
  ...{ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true, withTypedArray: true },
  ...{ withSparseArray: true, maxDepth: 4, values: [fc.string(), fc.integer(), fc.double(), fc.constant(undefined)] },
});

/** An error with causes and members. */
export const anyError: fc.Arbitrary<AggregateError> = fc.array(anyValue, { maxLength: 3 }).map((values) => {
  const cause = Object.assign(new RangeError("inner"), { values });
  return new AggregateError([cause, new TypeError("member", { cause }), ...values], "outer", { cause });
});
/** Changes to a flattened value: which entry, where in it, and what is put there. */
export const anyChanges: fc.Arbitrary<[number, number, unknown][]> = fc.array(
  fc.tuple(fc.nat(), fc.nat(), fc.oneof(name, entry)),
  { minLength: 1, maxLength: 4 },
);

// --- records

const anything = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, 0, -1, 1.5, 1e300, 2 ** 53, "", "x", "x".repeat(2000), [], {}),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Records, as text, whose fields are right for the most part. */
function nearly(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<string> {
  const spoilt = Object.entries(fields).map(([key, right]) =>
    [key, fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: anything })] as const
  );
  const polluting = fc.constantFrom("", '"__proto__":{"polluted":true},', '"constructor":{"prototype":1},');
  return fc.tuple(fc.record(Object.fromEntries(spoilt)), polluting).map(([record, polluting]) =>
    JSON.stringify(record).replace("{", `{${polluting}`).replace(",}", "}")
  );
}

const shortText = fc.string({ maxLength: 20 }),
  count = fc.nat(),
  time = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9 }));
const maybe = (right: fc.Arbitrary<unknown>) => fc.option(right, { nil: undefined });

/** The data of a job, as text. */
export const nearlyJob: fc.Arbitrary<string> = nearly({
  ...{
    futures: fc.constant(1),
    module: shortText,
    name: shortText,
    args: shortText,
    redeliveries: count,
    timeout: maybe(time),
  },
  ...{ grace: maybe(time), retries: maybe(count), stoppable: maybe(fc.constant(true)), owner: maybe(fc.uuid()) },
});
const by = fc.constantFrom("task", "host");
/** A reply, as text. */
export const nearlyReply: fc.Arbitrary<string> = fc.oneof(
  nearly({ ok: shortText }),
  nearly({ failure: shortText, by }),
  nearly({ cancelled: fc.constant(true) }),
  nearly({ stored: fc.constant(true) }),
);
/** The record of a host, as text. */
export const nearlyHost: fc.Arbitrary<string> = nearly({
  ...{
    name: shortText,
    runtime: shortText,
    workers: count,
    running: count,
    completed: count,
    failed: count,
    rate: time,
  },
  tasks: fc.array(shortText),
});
// --- what is in a queue

/** How many jobs or replies a test has at a time. */
const BULK = 200;

/** Arguments that are nearly right, or right. */
const args = fc.oneof(flatText, anyValue.map((value) => encode([value], 2 ** 24)), shortText);
const anyArgs = fc.oneof(
  { weight: 3, arbitrary: args },
  { weight: 1, arbitrary: fc.array(fc.oneof(args, fc.constantFrom("[[1],3]", "[[1],4]")), { maxLength: 4 }) },
);
/** A job of any kind: nearly right, for a task that is there or not. */
export const anyJob: fc.Arbitrary<string> = fc.oneof(
  nearly({
    ...{ futures: fc.constant(1), module: fc.constant("cluster_tasks"), redeliveries: count, args: anyArgs },
    ...{ name: fc.constantFrom("echo", "throwIt", "missing", "then", "__proto__"), timeout: maybe(fc.nat(5)) },
    ...{ retries: maybe(fc.nat(1)), stoppable: maybe(fc.constant(true)) },
  }),
  nearlyJob,
);
/** A reply of any kind. */
export const anyReply: fc.Arbitrary<string> = fc.oneof(
  nearly({ ok: args }),
  nearly({ failure: args, by }),
  nearly({ each: fc.array(fc.oneof(args, fc.record({ failure: args, by })), { maxLength: 3 }) }),
  nearlyReply,
);

/** Some of them, and the setting that repeats them. */
export function sample(arbitrary: fc.Arbitrary<string>): { texts: string[]; repeat: string } {
  const seed = Number(process.env.PROPERTY_SEED || randomInt(2 ** 31));
  return { texts: fc.sample(arbitrary, { numRuns: BULK, seed }), repeat: `PROPERTY_SEED=${seed}` };
}
