// Texts that a stranger may have put into a queue, at random: no text costs more than its length allows, none reaches a
// prototype, each is read as a value or throws an error. tests/properties/properties.ts says how to repeat one.

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { decode, decodeFailure, encode } from "../../../src/bullmq/codec.ts";
import { readHost, readJob, readReply, readStop } from "../../../src/bullmq/protocol.ts";
import { property } from "../../properties/properties.ts";
import {
  anyChanges,
  anyError,
  anyValue,
  flatText,
  nearlyHost,
  nearlyJob,
  nearlyReply,
} from "../../support/bullmq_arbitraries.ts";

const NO_TYPES = new Map<string, never>();

/** How long any text may take, and each KiB of it, in milliseconds: much, for busy machines. What hangs takes far longer. */
const GENEROUS = 1000, PER_KIB = 50;

/** Does something with a text, within the time that its length allows. */
function timed<T>(text: string, fn: () => T): T {
  const start = performance.now();
  try {
    return fn();
  } finally {
    const took = performance.now() - start, kib = text.length / 1024;
    assert(took < GENEROUS + PER_KIB * kib, `${took} ms for ${kib} KiB: ${text.slice(0, 2000)}`);
    assertEquals(Object.keys(Object.prototype), []);
    assertEquals(({} as { polluted?: true }).polluted, undefined);
  }
}

/** Reads a text as a value, and sends that on to a worker as a host does. */
function useAsHost(text: string): void {
  timed(text, () => {
    let value: unknown;
    try {
      value = decode(text, NO_TYPES, 0);
    } catch (error) {
      return assert(error instanceof Error || error instanceof DOMException, String(error));
    }
    structuredClone(value);
  });
}

/** Reads a text as what a task has thrown. */
function useAsFailure(text: string): void {
  timed(text, () => {
    try {
      decodeFailure(text, NO_TYPES, 0);
    } catch (error) {
      assert(error instanceof Error || error instanceof DOMException, String(error));
    }
  });
}

property(
  "decode() and decodeFailure() read any text as a value or an error, in time that its length allows",
  4000,
  flatText,
  (text) => {
    useAsHost(text);
    useAsFailure(text);
  },
);

property("decode() gives what encode() was given", 1000, anyValue, (value) => {
  const text = encode(value, 2 ** 24);
  // As text: deepEqual() of Bun (1.4) mixes up the entries of a Map whose keys are equal objects.
  assertStrictEquals(
    encode(timed(text, () => decode(text, NO_TYPES, 0)), 2 ** 24),
    encode(structuredClone(value), 2 ** 24),
  );
});

property(
  "decode() and decodeFailure() read texts with a few changes in time that their length allows",
  2000,
  fc.tuple(fc.oneof(anyValue, anyError), anyChanges),
  ([value, changes]) => {
    const flat: unknown = JSON.parse(encode(value, 2 ** 24));
    if (!Array.isArray(flat)) return;
    for (const [where, within, by] of changes) {
      const index = where % flat.length, entry: unknown = flat[index];
      if (Array.isArray(entry) && entry.length > 0) entry[within % entry.length] = by;
      else if (typeof entry === "object" && entry !== null && Object.keys(entry).length > 0) {
        const keys = Object.keys(entry);
        (entry as Record<string, unknown>)[keys[within % keys.length]!] = by;
      } else flat[index] = by;
    }
    useAsHost(JSON.stringify(flat));
    useAsFailure(JSON.stringify(flat));
  },
);

/** Checks that what was taken over is of the right kinds, and nothing else. */
function assertKinds(read: object | undefined, kinds: Readonly<Record<string, RegExp>>): void {
  for (const [key, value] of Object.entries(read ?? {})) {
    const kind = Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
    assertMatch(kind, kinds[key] ?? /^$/, key);
  }
}

property("readJob() takes over what is of the right kind, and nothing else", 1000, nearlyJob, (json) => {
  const number = /^(integer|number)$/;
  const read = timed(json, () => readJob(JSON.parse(json)));
  assertKinds(read, {
    ...{ futures: /^integer$/, module: /^string$/, name: /^string$/, args: /^(string|array)$/ },
    ...{ redeliveries: /^integer$/, timeout: number, grace: number, retries: /^integer$/ },
    ...{ stoppable: /^boolean$/, owner: /^string$/ },
  });
  if (Array.isArray(read?.args)) assert(read.args.length > 0 && read.args.every((text) => typeof text === "string"));
});

property("readReply() takes over what is of the right kind, and nothing else", 1000, nearlyReply, (json) => {
  const read = timed(json, () => readReply(json));
  assertKinds(read, {
    ...{ ok: /^string$/, failure: /^string$/, by: /^string$/, cancelled: /^boolean$/, stored: /^boolean$/ },
    each: /^array$/,
  });
  for (const item of read && "each" in read ? read.each : []) {
    if (typeof item !== "string") assertKinds(item, { failure: /^string$/, by: /^string$/ });
  }
});

property("readHost() takes over what is of the right kind, and nothing else", 1000, nearlyHost, (json) => {
  const read = timed(json, () => readHost(json));
  assertKinds(read, {
    ...{ name: /^string$/, runtime: /^string$/, workers: /^integer$/, running: /^integer$/, completed: /^integer$/ },
    ...{ failed: /^integer$/, rate: /^(integer|number)$/, tasks: /^array$/ },
  });
  assert(read?.tasks.every((name) => typeof name === "string") ?? true);
});

property(
  "readStop() takes over the ids of jobs, and nothing else",
  200,
  fc.array(fc.oneof(fc.constant("job"), fc.string({ maxLength: 20 }))),
  (fields) => {
    const id = readStop(fields);
    assertStrictEquals(id, fields[0] === "job" ? fields[1] : undefined);
  },
);
