// What a task throws, on its way to the parent: toFailure(), structured clone, fromFailure().

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorConstructorLike } from "../src/wire/error_class.ts";
import { type Failure, fromFailure, toFailure } from "../src/wire/failure.ts";

class TeapotError extends RangeError {
  readonly pot: string;

  constructor(pot: string) {
    super(`short and stout: ${pot}`);
    this.name = "TeapotError";
    this.pot = pot;
  }
}

function revived(failure: unknown, ...types: ErrorConstructorLike[]): unknown {
  return fromFailure(failure as Failure, new Map(types.map((type) => [type.name, type])));
}

/** What arrives in the parent. */
function arrived(thrown: unknown, ...types: ErrorConstructorLike[]): unknown {
  return revived(structuredClone(toFailure(thrown)), ...types);
}

/** The same, for an error. */
// deno-lint-ignore no-explicit-any
function arrivedError(thrown: unknown, ...types: ErrorConstructorLike[]): any {
  const error = arrived(thrown, ...types);
  assert.ok(error instanceof Error);
  return error;
}

test("fromFailure() makes built-in errors of their classes, with message, name and the worker's stack [P6]", () => {
  for (const Type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    const error = new Type("what");
    const copy = arrivedError(error);
    assert.equal(copy.constructor, Type);
    assert.deepEqual([copy.name, copy.message, copy.stack], [error.name, "what", error.stack]);
    assert.equal(String(copy), String(error));
    assert.deepEqual(Object.keys(copy), []);
  }
});

test("fromFailure() makes a true Error, to every eye [P6]", () => {
  const copy = arrivedError(new TeapotError("x"), TeapotError);
  assert.equal(Object.prototype.toString.call(copy), "[object Error]");
  assert.ok(structuredClone(copy) instanceof Error);
});

test("fromFailure() makes classes of errorTypes, without calling them [P6, P7]", () => {
  const copy = arrivedError(new TeapotError("Brown Betty"), TeapotError);
  assert.ok(copy instanceof TeapotError);
  assert.deepEqual([copy.name, copy.message, copy.pot], [
    "TeapotError",
    "short and stout: Brown Betty",
    "Brown Betty",
  ]);
  assert.deepEqual(Object.keys(copy), ["pot"]);
});

test("fromFailure() of an unknown class makes the nearest known one, with its name and properties [P7]", () => {
  const copy = arrivedError(new TeapotError("Brown Betty"));
  assert.equal(Object.getPrototypeOf(copy), RangeError.prototype);
  assert.deepEqual([copy.name, copy.pot], ["TeapotError", "Brown Betty"]);
  class Nested extends TeapotError {}
  assert.ok(arrivedError(new Nested("x"), TeapotError) instanceof TeapotError);
  const Anonymous = (() => class extends Error {})();
  assert.equal(Object.getPrototypeOf(arrivedError(new Anonymous("x"))), Error.prototype);
});

test("fromFailure() makes a DOMException with name, message and code [P6]", () => {
  const copy = arrivedError(new DOMException("no more", "AbortError"));
  assert.ok(copy instanceof DOMException);
  assert.deepEqual([copy.name, copy.message, copy.code], ["AbortError", "no more", DOMException.ABORT_ERR]);
});

test("fromFailure() makes an AggregateError with its members [P6]", () => {
  const copy = arrivedError(new AggregateError([new TypeError("one"), 2, undefined], "some"));
  assert.ok(copy instanceof AggregateError);
  assert.equal(copy.message, "some");
  assert.ok(copy.errors[0] instanceof TypeError && copy.errors[0].message === "one");
  assert.deepEqual(copy.errors.slice(1), [2, undefined]);
  assert.deepEqual(Object.keys(copy), []);
});

test("fromFailure() keeps the chain of causes, of every class and of any value [P6]", () => {
  const copy = arrivedError(new Error("top", { cause: new TeapotError("x") }), TeapotError);
  assert.ok(copy.cause instanceof TeapotError);
  assert.deepEqual(Object.keys(copy), []);
  for (const cause of [undefined, null, 0, "text", { why: 1 }]) {
    const copy = arrivedError(new Error("top", { cause }));
    assert.ok(Object.hasOwn(copy, "cause"));
    assert.deepEqual(copy.cause, cause);
  }
  assert.equal(Object.hasOwn(arrivedError(new Error("top")), "cause"), false);
});

test("fromFailure() keeps cycles, and errors that are met twice", () => {
  const error = new Error("me") as Error & { self: Error };
  error.cause = error;
  error.self = error;
  const copy = arrivedError(error);
  assert.equal(copy.cause, copy);
  assert.equal(copy.self, copy);
  const all = new AggregateError([], "all");
  all.errors.push(all, all, error, error);
  const { errors } = arrivedError(all);
  assert.deepEqual([errors[0] === errors[1], errors[2] === errors[3], errors[2].cause === errors[2]], [
    true,
    true,
    true,
  ]);
});

test("toFailure() of errors that share their causes is no larger than they are", () => {
  let error = new AggregateError([], "0");
  for (let level = 1; level <= 14; level++) error = new AggregateError([error, error, error, error], String(level));
  let copy = arrivedError(error); // 4 ** 14 records otherwise
  for (let level = 14; level > 0; level--) copy = copy.errors[3];
  assert.equal(copy.message, "0");
});

test("toFailure() cuts a chain of causes that is too long to follow", () => {
  let error = new Error("first");
  for (let i = 0; i < 10_000; i++) error = new Error(String(i), { cause: error });
  let depth = 0;
  for (let at = arrivedError(error); at; at = at.cause) depth++;
  assert.ok(depth > 10 && depth < 100, `${depth} causes`);
});

test("fromFailure() keeps own properties, also one called __proto__ [P6]", () => {
  const error = Object.assign(new Error("what"), {
    code: "E_WHAT",
    detail: { list: [1, new Date(0)] },
    nothing: undefined,
  });
  Object.defineProperty(error, "__proto__", { value: { polluted: true }, enumerable: true });
  const copy = arrivedError(error);
  assert.equal(copy.code, "E_WHAT");
  assert.deepEqual(copy.detail, { list: [1, new Date(0)] });
  assert.deepEqual(Object.keys(copy).sort(), ["__proto__", "code", "detail", "nothing"]);
  assert.equal(Object.getPrototypeOf(copy), Error.prototype);
  assert.equal(copy.polluted, undefined);
});

test("fromFailure() keeps errors in own properties, with their classes", () => {
  const copy = arrivedError(Object.assign(new Error("outer"), { inner: new TypeError("inner") }));
  assert.ok(copy.inner instanceof TypeError);
});

test("fromFailure() has own properties that cannot be cloned as text [P7]", () => {
  const copy = arrivedError(Object.assign(new Error("what"), { fn: Math.max, symbol: Symbol("s") }));
  assert.match(copy.fn, /function max/);
  assert.equal(copy.symbol, "Symbol(s)");
});

test("toFailure() asks the channel what can be cloned", () => {
  const refuse = () => {
    throw new DOMException("no", "DataCloneError");
  };
  const copy = revived(toFailure(Object.assign(new Error("what"), { buffer: { b: 1 } }), refuse)) as { buffer: string };
  assert.equal(copy.buffer, "[object Object]");
});

test("fromFailure() gives thrown values that are no errors as they were [test_swallows_falsey_exceptions]", () => {
  for (const thrown of [undefined, null, 0, -0, NaN, "", false, 5n, "text", { a: [1] }, []]) {
    const copy = arrived(thrown);
    if (typeof thrown === "object") assert.deepEqual(copy, thrown);
    else assert.ok(Object.is(copy, thrown), `${String(thrown)} became ${String(copy)}`);
  }
});

test("fromFailure() tells of thrown values that cannot be cloned", () => {
  for (const thrown of [() => 5, Symbol("s"), new WeakMap(), { fn() {} }]) {
    assert.match(arrivedError(thrown).message, /^A task threw a value that cannot be cloned: /);
  }
});

test("toFailure() survives errors that cannot be looked at", () => {
  const thrower = () => {
    throw new Error("hands off");
  };
  const error = new Error("what");
  for (const key of ["name", "stack", "detail"]) Object.defineProperty(error, key, { get: thrower, enumerable: true });
  assert.equal(arrivedError(error).message, "what");
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.ok(arrivedError(proxy));
  assert.ok(arrivedError(new Proxy(new Error("what"), { get: thrower, getPrototypeOf: thrower, ownKeys: thrower })));
  assert.ok(arrivedError(Object.assign(new Error("what"), { text: { [Symbol.toPrimitive]: thrower, fn() {} } })));
  assert.ok(arrivedError(Object.setPrototypeOf(new Error("what"), null)) instanceof Error);
});

test("fromFailure() makes an error of a malformed record, whatever is wrong with it", () => {
  const good = toFailure(new Error("what")) as Extract<Failure, { kind: "error" }>;
  const cases: unknown[] = [undefined, null, 5, "error", [], {}, { kind: "other" }, { kind: "error" }];
  for (const key of ["classes", "properties", "nested"]) cases.push({ ...good, [key]: 5 }, { ...good, [key]: null });
  cases.push({ ...good, properties: [5] }, { ...good, nested: [["cause", null]] }, { ...good, errors: 5 });
  let deep: unknown = good;
  for (let i = 0; i < 100_000; i++) deep = { ...good, nested: [["cause", deep]] };
  cases.push(deep);
  for (const [index, failure] of cases.entries()) {
    const error = revived(failure);
    assert.ok(error instanceof Error, `case ${index}`);
    assert.equal(error.message, "A worker sent a malformed failure", `case ${index}`);
  }
});

test("fromFailure() cannot be made to touch prototypes", () => {
  const good = toFailure(new Error("what")) as Extract<Failure, { kind: "error" }>;
  const copy = revived({
    ...good,
    classes: ["__proto__", "constructor", "Object"],
    properties: [["__proto__", { polluted: true }], ["constructor", 5]],
  }) as Error & { polluted?: boolean };
  assert.equal(Object.getPrototypeOf(copy), Error.prototype);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});
