// The short way of the texts of scalars says what devalue and the check of texts say.

import { assertEquals } from "@std/assert";
import { stringify, unflatten } from "devalue";
import fc from "fast-check";
import node from "node:assert/strict";
import { checkFlat } from "../../src/bullmq/flat.ts";
import { readScalars, writeScalars } from "../../src/bullmq/scalars.ts";
import { property } from "./properties.ts";

const scalar = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    -1,
    NaN,
    Infinity,
    "",
    "__proto__",
    "Error",
    "\ud83d",
    "\u2028</script>",
  ),
  fc.string({ maxLength: 80 }),
  fc.double(),
  fc.integer(),
);
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 10 }), fc.sparseArray(scalar, { maxLength: 5 }));

/** What JSON.parse() may make of the text of a stranger. */
const flat = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.oneof(scalar, fc.array(fc.integer({ min: -7, max: 4 }))), { maxLength: 6 }) },
  fc.array(scalar, { maxLength: 6 }).map((list) => [list.map((_, i) => i + 1), ...list]),
  fc.jsonValue(),
).map((value) => JSON.parse(JSON.stringify(value)));

property("What is written for scalars is read as they are, and its size is right", 2000, value, (value) => {
  const written = writeScalars(value);
  if (!written) return;
  const flat = JSON.parse(written.text);
  assertEquals(written.size, checkFlat(flat, Infinity));
  node.deepStrictEqual(unflatten(flat), value);
  node.deepStrictEqual(readScalars(flat), { value, size: written.size });
});

property("What devalue writes is read as it is, or not at all", 2000, value, (value) => {
  const read = readScalars(JSON.parse(stringify(value)));
  if (read) node.deepStrictEqual(read.value, value);
});

property("What a stranger has written is read as devalue reads it, or not at all", 5000, flat, (flat) => {
  const read = readScalars(flat);
  if (!read) return;
  assertEquals(read.size, checkFlat(flat, Infinity));
  node.deepStrictEqual(read.value, unflatten(flat as unknown[]));
});
