// Values as text that every runtime reads. devalue writes and reads it; this takes what structured clone takes, and refuses the
// rest.

import { DevalueError, stringify, unflatten } from "devalue";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { type Failure, fromFailure, isFailure, toFailure } from "../wire/failure.ts";
import { assertNotLocal } from "../wire/marks.ts";
import { refusing } from "../wire/sendable.ts";
import { checkBigInt, checkFlat } from "./flat.ts";
import { MAX_PAYLOAD } from "./protocol.ts";
import { readScalars, writeScalars } from "./scalars.ts";

/** The tag of errors. They cross as records, as in messages to workers, with their causes and properties. */
const ERROR = "Error";

const { entries: entriesOf } = Map.prototype, { values: valuesOf } = Set.prototype;

const OPERATIONS = {
  // A promise is refused like any object that cannot be copied.
  isThenable: () => false,
  shapeOf: (value: object) => {
    assertNotLocal(value);
    // The properties of an instance of a class arrive. What has another tag may be an object of the platform: only
    // structured clone can tell.
    if (Object.prototype.toString.call(value) !== "[object Object]" && !isPlain(structuredClone(value))) {
      throw dataCloneError(`${nameOf(value)} cannot be sent to another machine`);
    }
    return { kind: "plain" as const, keys: Object.keys(value) };
  },
  // The methods of Map and Set themselves: an object may have others under their names.
  entriesOf: (map: Map<unknown, unknown>) => entriesOf.call(map),
  valuesOf: (set: Set<unknown>) => valuesOf.call(set),
  // Holes are written one by one. A text that gives a length instead would be short, and its array long.
  indicesOf: (array: ArrayLike<unknown>) => ({ length: array.length }) as string[],
};

/**
 * Turns a value into text.
 *
 * @param value Anything that structured clone copies, except shared memory and what belongs to one program.
 * @param limit The maximum number of characters.
 * @returns JSON.
 * @throws {DOMException} a DataCloneError, when the value cannot be sent.
 * @throws {RangeError} when the text is longer than the limit.
 */
export function encode(value: unknown, limit: number): string {
  return encodeSized(value, limit).text;
}

/** A value as text, and its size as {@linkcode checkFlat} counts it. */
export interface Encoded {
  readonly text: string;
  readonly size: number;
}

/** As encode(), and tells the size. */
export function encodeSized(value: unknown, limit: number): Encoded {
  const scalars = writeScalars(value), text = scalars ? scalars.text : toText(value, limit);
  if (text.length > limit) throw tooLong(`of ${text.length} characters`, limit);
  return scalars ?? { text, size: checkFlat(JSON.parse(text), roomFor(limit)) };
}

/**
 * Turns text into the value again. Evaluates nothing.
 *
 * @param text The result of encode(), as another program claims.
 * @param errorTypes The custom classes of errors, by name.
 * @param limit The reader's `maxPayload`. A text that is no longer than the default is read in any case.
 * @returns The value.
 * @throws {Error} when the text is malformed or too long, or its value would be too large.
 */
export function decode(text: string, errorTypes: ReadonlyMap<string, ErrorConstructorLike>, limit: number): unknown {
  return read(text, roomFor(limit), errorTypes).value;
}

/**
 * Turns texts into values again, which have the room of one.
 *
 * @param texts Results of encode(), as another program claims.
 * @param errorTypes The custom classes of errors, by name.
 * @param limit As for decode(): no longer may all of them be together.
 * @returns The values.
 * @throws {Error} when a text is malformed, or they are too long, or their values would be too large.
 */
export function decodeAll(
  texts: readonly string[],
  errorTypes: ReadonlyMap<string, ErrorConstructorLike>,
  limit: number,
): unknown[] {
  let left = roomFor(limit), room = left;
  return texts.map((text) => {
    const { value, size } = read(text, Math.min(left, room), errorTypes);
    left -= text.length;
    room -= size;
    return value;
  });
}

/** Turns anything that was thrown into text. Never throws: what cannot be sent is replaced by an error that says so. */
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
 * @param text The result of encodeFailure(), as another program claims.
 * @param errorTypes The custom classes of errors, by name.
 * @param limit As for decode().
 * @returns What was thrown.
 * @throws {Error} when the text is malformed or too long, or its value would be too large.
 */
export function decodeFailure(
  text: string,
  errorTypes: ReadonlyMap<string, ErrorConstructorLike>,
  limit: number,
): unknown {
  const room = roomFor(limit), flat = parse(text, room);
  checkFlat(flat, room, true);
  const failure = revive(flat, errorTypes);
  if (!isFailure(failure)) throw new TypeError("The text is not the record of a failure");
  return fromFailure(failure, errorTypes);
}

/** The maximum length of a text from a program whose own limit is not known. */
export function roomFor(limit: number): number {
  return Math.max(limit, MAX_PAYLOAD);
}

function read(
  text: string,
  room: number,
  errorTypes: ReadonlyMap<string, ErrorConstructorLike>,
): { value: unknown; size: number } {
  const flat = parse(text, room), scalars = readScalars(flat);
  if (scalars) return scalars;
  const size = checkFlat(flat, room);
  return { value: revive(flat, errorTypes), size };
}

function parse(text: string, room: number): unknown {
  if (text.length > room) throw new RangeError(`The text has ${text.length} characters, more than ${room}`);
  return JSON.parse(text);
}

/** Makes the value of what has passed {@linkcode checkFlat}. */
function revive(flat: unknown, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  return unflatten(flat as unknown[], { [ERROR]: (failure: Failure) => fromFailure(failure, errorTypes) });
}

function toText(value: unknown, limit: number): string {
  let room = limit;
  const copy = copier(limit);
  const reducers = {
    [ERROR]: (value: unknown) => {
      if (typeof value === "bigint") checkBigInt(value);
      return value instanceof Error ? toFailure(value, copy) : undefined;
    },
  };
  const operations = {
    ...OPERATIONS,
    /** Each element takes at least one character, so an array that is too long is refused before it is written. */
    lengthOf: ({ length }: ArrayLike<unknown>) => {
      room -= length;
      if (room < 0) throw tooLong("with this many elements", limit);
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

/** Copies a part of an error; throws when that cannot be sent. */
function copier(limit: number): (value: unknown) => unknown {
  return (value) => {
    const copied = structuredClone(value);
    encode(copied, limit);
    return copied;
  };
}

/** The error of a value that is longer than may be sent. */
export function tooLong(what: string, limit: number): RangeError {
  return new RangeError(
    `Cannot send a value ${what}, as it is longer than 'maxPayload', which is ${limit}: ` +
      "store it where the hosts can read it, and send its name",
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
