// The ring of shared memory between two threads: what it carries, what it refuses, and what garbage in it does.

import fc from "fast-check";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import node from "node:assert/strict";
import { test } from "node:test";
import {
  ANSWERS,
  CALLS,
  DONE,
  ITEMS,
  MORE,
  PULL,
  RING_BYTES,
  RING_UNITS,
  RingError,
  RingReader,
  RingWriter,
  YIELDS,
} from "../../../src/thread/ring.ts";
import { property } from "../../properties/properties.ts";

const SHAPES = [CALLS, ANSWERS, DONE, YIELDS, PULL, MORE, ITEMS];

function makeRing() {
  const memory = new SharedArrayBuffer(RING_BYTES);
  return { memory, writer: new RingWriter(memory, 0), reader: new RingReader(memory, 0) };
}

const plain = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, 5e-324),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("", "\ud800", "\udc00x", "\0", "é", "a".repeat(1024), "é".repeat(1024), "☃".repeat(1024)),
  fc.boolean(),
  fc.constantFrom(undefined, null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

const refused = fc.oneof(
  fc.constantFrom(2n ** 63n, -(2n ** 63n) - 1n, 10n ** 400n, "a".repeat(1025)),
  fc.constantFrom<unknown>([], [1], {}, Object(1), Object("a"), new Date(0), () => {}, Symbol("s")),
);

property(
  "a ring carries plain values exactly, whatever their number and size",
  300,
  fc.array(fc.tuple(fc.array(plain, { maxLength: 60 }), fc.constantFrom(...SHAPES), fc.nat(3)), {
    maxLength: 60,
  }),
  (messages) => {
    const { writer, reader } = makeRing();
    const waiting: [unknown[], number, number][] = [];
    let posts = 2 ** 31 - 20;
    const read = () => {
      const [values, shape, posts] = waiting.shift()!;
      assertStrictEquals(reader.posts, posts);
      node.deepStrictEqual(reader.read(), structuredClone(values));
      assertStrictEquals(reader.shape, shape);
      if (shape >= DONE) node.deepStrictEqual([reader.first, reader.second], [7, 0.5]);
    };
    for (const [values, shape, reads] of messages) {
      posts = (posts + 1) | 0;
      const numbers = shape >= DONE ? [7, 0.5] as const : [];
      while (!writer.write(shape, posts, values, ...numbers)) read(); // which fails when an empty ring refuses it
      waiting.push([values, shape, posts]);
      for (let i = 0; i < reads && waiting.length > 0; i++) read();
    }
    while (waiting.length > 0) read();
    assert(reader.isEmpty);
  },
);

property(
  "a ring refuses what is not plain, and has changed nothing then",
  100,
  fc.tuple(fc.array(plain, { maxLength: 20 }), refused, fc.array(plain, { maxLength: 20 })),
  ([before, value, after]) => {
    const { writer, reader } = makeRing();
    assert(!writer.write(CALLS, 0, [...before, value, ...after]));
    assert(reader.isEmpty);
    assert(writer.write(CALLS, 0, after));
    node.deepStrictEqual(reader.read(), after);
  },
);

test("a full ring refuses an entry, and takes it when there is room, around its end too", () => {
  const { writer, reader } = makeRing();
  for (let size = 1; size < 700; size += 97) {
    const values = Array.from({ length: size }, (_, i) => i);
    let written = 0;
    while (writer.write(CALLS, 0, values)) written++;
    assert(written >= 2, `${written} entries of ${size} values`);
    for (let i = 0; i < 3 * RING_UNITS / size; i++) {
      node.deepStrictEqual(reader.read(), values);
      if (writer.write(CALLS, 0, values)) written++;
    }
    while (!reader.isEmpty) node.deepStrictEqual(reader.read(), values);
  }
});

test("an entry that takes more than half of the ring is refused", () => {
  const { writer, reader } = makeRing();
  assert(!writer.write(CALLS, 0, new Array(RING_UNITS / 2 - 1).fill(1)));
  assert(writer.write(CALLS, 0, new Array(RING_UNITS / 2 - 2).fill(1)));
  assertStrictEquals(reader.read().length, RING_UNITS / 2 - 2);
});

/** What is written over a ring: a word, mostly in its first entries or its positions. */
const scribble = fc.record({
  at: fc.oneof(fc.nat(400), fc.constantFrom(0, 16, 32, 33, 34, 35), fc.nat(RING_BYTES / 4 - 1)),
  word: fc.oneof(
    fc.integer(),
    fc.constantFrom(0, 1, 2, 3, 4, 8, 9, -1, RING_UNITS, RING_UNITS + 1, 2 ** 31 - 1, -(2 ** 31), 0x7ff80001),
    fc.integer({ min: 0, max: 20 }),
  ),
});

property(
  "a ring with garbage in it has entries of plain values, or says that it has none",
  1000,
  fc.tuple(
    fc.array(fc.array(plain, { maxLength: 20 }), { minLength: 1, maxLength: 5 }),
    fc.array(scribble, { maxLength: 12 }),
  ),
  ([messages, scribbles]) => {
    const { memory, writer, reader } = makeRing();
    for (const values of messages) writer.write(CALLS, 0, values);
    const words = new Int32Array(memory);
    for (const { at, word } of scribbles) words[at] = word;
    let read = 0;
    try {
      while (!reader.isEmpty) {
        assertEquals(typeof reader.posts, "number");
        const values = reader.read();
        read += values.length + 1;
        for (const value of values) assert(typeof value !== "object" || value === null);
        // Each entry that is read takes a part of the ring, so there is an end.
        assert(read <= RING_UNITS);
      }
    } catch (error) {
      assert(error instanceof RingError, String(error));
    }
    // A writer whose reader claims nonsense refuses, or writes; it does not throw.
    writer.write(CALLS, 0, messages[0]!);
  },
);

test("each number in a ring that leads out of its entry is refused", () => {
  const UNITS_AT = RING_BYTES / 4 - 2 * RING_UNITS; // the first word of the first entry
  // Its size, its shape, the number of its values, and the length of the text that is its first value.
  for (const [word, wrong] of [[0, 0], [0, 5], [0, -1], [2, 8], [3, 3], [3, -1], [5, 9], [5, 1e6], [5, -1], [4, 99]]) {
    const { memory, writer, reader } = makeRing();
    writer.write(CALLS, 0, ["text", 1]); // an entry of five units
    new Int32Array(memory)[UNITS_AT + word!] = wrong!;
    if (word === 0 && wrong === 5) node.deepStrictEqual(reader.read(), ["text", 1]);
    else assertThrows(() => reader.read(), RingError, "", `${wrong} as word ${word}`);
  }
});
