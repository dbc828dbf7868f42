// Values as text that any runtime reads: by devalue, told to take what structured clone takes and to refuse what it refuses.

import { DevalueError, parse, stringify } from "devalue";
import type { ErrorConstructorLike } from "../wire/error_class.ts";
import { type Failure, fromFailure, toFailure } from "../wire/failure.ts";
import { assertNotLocal } from "../wire/marks.ts";

/** The tag of errors. They travel as their records do elsewhere, with their causes and properties. */
const ERROR = "Error";

const REDUCERS = {
  [ERROR]: (value: unknown) => (value instanceof Error ? toFailure(value, copy) : undefined),
};

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
  const text = toText(value);
  if (text.length > limit) {
    throw new RangeError(
      `Cannot send a value of ${text.length} characters, as it is longer than 'maxPayload', which is ${limit}: ` +
        "put it where the hosts can read it, and send its name",
    );
  }
  return text;
}

/**
 * Turns text into the value again. Nothing is evaluated.
 *
 * @param text What encode() has returned, as another program claims.
 * @param errorTypes The custom classes of errors, by name.
 * @returns The value.
 * @throws {Error} when it is malformed.
 */
export function decode(text: string, errorTypes: ReadonlyMap<string, ErrorConstructorLike>): unknown {
  return parse(text, { [ERROR]: (failure: Failure) => fromFailure(failure, errorTypes) });
}

/** The record of what was thrown, as text: always, whatever it is. */
export function encodeFailure(thrown: unknown, limit: number): string {
  try {
    return encode(toFailure(thrown, copy), limit);
  } catch (error) {
    return toText(toFailure(error));
  }
}

function toText(value: unknown): string {
  try {
    return stringify(value, REDUCERS, { operations: OPERATIONS });
  } catch (error) {
    if (!(error instanceof DevalueError)) throw error;
    throw dataCloneError(`${error.message.replace(/ \(at .*$/, "")}${error.path ? ` at ${error.path}` : ""}`);
  }
}

/** A copy of a part of an error, which is left out as it is when it cannot be sent. */
function copy(value: unknown): unknown {
  const copied = structuredClone(value);
  toText(copied);
  return copied;
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
