// Values as text that any runtime reads: by devalue, told to take what structured clone takes and to refuse what it refuses.

import { DevalueError, stringify, unflatten } from "devalue";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { type Failure, fromFailure, isFailure, toFailure } from "../wire/failure.ts";
import { assertNotLocal } from "../wire/marks.ts";
import { refusing } from "../wire/sendable.ts";
import { checkFlat } from "./flat.ts";
import { MAX_PAYLOAD } from "./protocol.ts";

/** The tag of errors. They travel as their records do elsewhere, with their causes and properties. */
const ERROR = "Error";

const { entries: entriesOf } = Map.prototype, { values: valuesOf } = Set.prototype;

const OPERATIONS = {
  // A promise is refused as every other object that cannot be copied.
  isThenable: () => false,
  shapeOf: (value: object) => {
    assertNotLocal(value);
    // Of an instance of a class its properties arrive. One that calls itself something else may be an object of the
    // platform; only structured clone can tell.
    if (Object.prototype.toString.call(value) !== "[object Object]" && !isPlain(structuredClone(value))) {
      throw dataCloneError(`${nameOf(value)} cannot be sent to another machine`);
    }
    return { kind: "plain" as const, keys: Object.keys(value) };
  },
  // The language's own, whatever else a Map or Set may say that is in it.
  entriesOf: (map: Map<unknown, unknown>) => entriesOf.call(map),
  valuesOf: (set: Set<unknown>) => valuesOf.call(set),
  // Holes are written one by one: a text that names a length would be a short one of a long array.
  indicesOf: (array: ArrayLike<unknown>) => ({ length: array.length }) as string[],
};

/**
 * Turns a value into text.
 *
 * @param value Anything that structured clone copies, but for shared memory and what belongs to one place.
 * @param limit How many characters that may be.
 * @returns JSON.
 * @throws {DOMException} a DataCloneError, when it cannot be sent.
 * @throws {RangeError} when it is longer than the limit.
 */
export function encode(value: unknown, limit: number): string {
  const text = toText(value, limit);
  if (text.length > limit) throw tooLong(`of ${text.length} characters`, limit);
  checkFlat(JSON.parse(text), roomFor(limit));
  return text;
}

/**
 * Turns text into the value again. Nothing is evaluated.
 *
 * @param text What encode() has returned, as another program claims.
 * @param errorTypes The custom classes of errors, by name.
 * @param limit The reader's own for texts. What was sent by whoever has the usual one is read in any case.
 * @returns The value.
 * @throws {Error} when it is malformed, or more than it may be.
 */
export function decode(text: string, errorTypes: ReadonlyMap<string, ErrorConstructorLike>, limit: number): unknown {
  return revive(read(text, limit, false), errorTypes);
}

/** The record of what was thrown, as text: always, whatever it is. */
export function encodeFailure(thrown: unknown, limit: number): string {
  try {
    return encode(toFailure(thrown, copier(limit)), limit);
  } catch (error) {
    return toText(toFailure(error), Infinity);
  }
}

/**
 * Turns text into what was thrown.
 *
 * @param text What encodeFailure() has returned, as another program claims.
 * @param errorTypes The custom classes of errors, by name.
 * @param limit As of decode().
 * @throws {Error} when it is malformed, or more than it may be.
 */
export function decodeFailure(
  text: string,
  errorTypes: ReadonlyMap<string, ErrorConstructorLike>,
  limit: number,
): unknown {
  const failure = revive(read(text, limit, true), errorTypes);
  if (!isFailure(failure)) throw new TypeError("It is no failure");
  return fromFailure(failure, errorTypes);
}

/** How long a text may be that comes from somebody whose limit is not known. */
export function roomFor(limit: number): number {
  return Math.max(limit, MAX_PAYLOAD);
}

function read(text: string, limit: number, isFailure: boolean): unknown[] {
  const room = roomFor(limit);
  if (text.length > room) throw new RangeError(`It has ${text.length} characters, more than ${room}`);
  const flat = JSON.parse(text);
  checkFlat(flat, room, isFailure);
  return flat;
}

function revive(flat: unknown[], errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  return unflatten(flat, { [ERROR]: (failure: Failure) => fromFailure(failure, errorTypes) });
}

function toText(value: unknown, limit: number): string {
  let room = limit;
  const copy = copier(limit);
  const reducers = { [ERROR]: (value: unknown) => (value instanceof Error ? toFailure(value, copy) : undefined) };
  const operations = {
    ...OPERATIONS,
    /** An element takes a character at least: it is known beforehand of an array whether it is too long. */
    lengthOf: ({ length }: ArrayLike<unknown>) => {
      room -= length;
      if (room < 0) throw tooLong("with so many elements", limit);
      return length;
    },
  };
  try {
    return refusing(() => stringify(value, reducers, { operations }));
  } catch (error) {
    if (!(error instanceof DevalueError)) throw error;
    throw dataCloneError(`${error.message.replace(/ \(at .*$/, "")}${error.path ? ` at ${error.path}` : ""}`);
  }
}

/** Copies a part of an error, which is left out as it is when it cannot be sent. */
function copier(limit: number): (value: unknown) => unknown {
  return (value) => {
    const copied = structuredClone(value);
    encode(copied, limit);
    return copied;
  };
}

function tooLong(what: string, limit: number): RangeError {
  return new RangeError(
    `Cannot send a value ${what}, as it is longer than 'maxPayload', which is ${limit}: ` +
      "put it where the hosts can read it, and send its name",
  );
}

function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function nameOf(value: object): string {
  return value.constructor?.name || "An object";
}

function dataCloneError(message: string): DOMException {
  return new DOMException(message, "DataCloneError");
}
