// The way of a thrown value to the parent: toFailure(), structured clone, fromFailure().

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import node from "node:assert/strict";
import { test } from "node:test";
import type { ErrorConstructorLike } from "../../../src/wire/error_class.ts";
import { type Failure, fromFailure, isFailure, toFailure } from "../../../src/wire/failure.ts";

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

/** Returns what arrives in the parent. */
function arrived(thrown: unknown, ...types: ErrorConstructorLike[]): unknown {
  return revived(structuredClone(toFailure(thrown)), ...types);
}

/** The same, for an error. */
// deno-lint-ignore no-explicit-any
function arrivedError(thrown: unknown, ...types: ErrorConstructorLike[]): any {
  const error = arrived(thrown, ...types);
  assert(error instanceof Error);
  return error;
}

test("fromFailure() makes built-in errors of their classes, with message, name and the worker's stack [P6]", () => {
  for (const Type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    const error = new Type("what");
    const copy = arrivedError(error);
    assertStrictEquals(copy.constructor, Type);
    node.deepEqual([copy.name, copy.message, copy.stack], [error.name, "what", error.stack]);
    assertStrictEquals(String(copy), String(error));
    node.deepEqual(Object.keys(copy), []);
  }
});

test("fromFailure() makes a true Error, to every eye [P6]", () => {
  const copy = arrivedError(new TeapotError("x"), TeapotError);
  assertEquals(Object.prototype.toString.call(copy), "[object Error]");
  assert(structuredClone(copy) instanceof Error);
});

test("fromFailure() makes classes of errorTypes, without calling them [P6, P7]", () => {
  const copy = arrivedError(new TeapotError("Brown Betty"), TeapotError);
  assert(copy instanceof TeapotError);
  node.deepEqual([copy.name, copy.message, copy.pot], [
    "TeapotError",
    "short and stout: Brown Betty",
    "Brown Betty",
  ]);
  node.deepEqual(Object.keys(copy), ["pot"]);
});

test("fromFailure() of an unknown class makes the nearest known one, with its name and properties [P7]", () => {
  const copy = arrivedError(new TeapotError("Brown Betty"));
  assertStrictEquals(Object.getPrototypeOf(copy), RangeError.prototype);
  node.deepEqual([copy.name, copy.pot], ["TeapotError", "Brown Betty"]);
  class Nested extends TeapotError {}
  assert(arrivedError(new Nested("x"), TeapotError) instanceof TeapotError);
  const Anonymous = (() => class extends Error {})();
  assertStrictEquals(Object.getPrototypeOf(arrivedError(new Anonymous("x"))), Error.prototype);
});

test("fromFailure() makes a DOMException with name, message and code [P6]", () => {
  const copy = arrivedError(new DOMException("no more", "AbortError"));
  assert(copy instanceof DOMException);
  node.deepEqual([copy.name, copy.message, copy.code], ["AbortError", "no more", DOMException.ABORT_ERR]);
});

test("fromFailure() makes an AggregateError with its members [P6]", () => {
  const copy = arrivedError(new AggregateError([new TypeError("one"), 2, undefined], "some"));
  assert(copy instanceof AggregateError);
  assertEquals(copy.message, "some");
  assert(copy.errors[0] instanceof TypeError && copy.errors[0].message === "one");
  node.deepEqual(copy.errors.slice(1), [2, undefined]);
  node.deepEqual(Object.keys(copy), []);
});

test("fromFailure() keeps the chain of causes, of every class and of any value [P6]", () => {
  const copy = arrivedError(new Error("top", { cause: new TeapotError("x") }), TeapotError);
  assert(copy.cause instanceof TeapotError);
  node.deepEqual(Object.keys(copy), []);
  for (const cause of [undefined, null, 0, "text", { why: 1 }]) {
    const copy = arrivedError(new Error("top", { cause }));
    assert(Object.hasOwn(copy, "cause"));
    node.deepEqual(copy.cause, cause);
  }
  assertEquals(Object.hasOwn(arrivedError(new Error("top")), "cause"), false);
});

test("fromFailure() keeps cycles, and errors that are met twice", () => {
  const error = new Error("me") as Error & { self: Error };
  error.cause = error;
  error.self = error;
  const copy = arrivedError(error);
  assertStrictEquals(copy.cause, copy);
  assertStrictEquals(copy.self, copy);
  const all = new AggregateError([], "all");
  all.errors.push(all, all, error, error);
  const { errors } = arrivedError(all);
  node.deepEqual([errors[0] === errors[1], errors[2] === errors[3], errors[2].cause === errors[2]], [
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
  assertEquals(copy.message, "0");
});

test("toFailure() cuts a chain of causes that is too long to follow", () => {
  let error = new Error("first");
  for (let i = 0; i < 10_000; i++) error = new Error(String(i), { cause: error });
  let depth = 0;
  for (let at = arrivedError(error); at; at = at.cause) depth++;
  assert(depth > 10 && depth < 100, `${depth} causes`);
});

test("fromFailure() keeps own properties, also one called __proto__ [P6]", () => {
  const error = Object.assign(new Error("what"), {
    code: "E_WHAT",
    detail: { list: [1, new Date(0)] },
    nothing: undefined,
  });
  Object.defineProperty(error, "__proto__", { value: { polluted: true }, enumerable: true });
  const copy = arrivedError(error);
  assertEquals(copy.code, "E_WHAT");
  node.deepEqual(copy.detail, { list: [1, new Date(0)] });
  node.deepEqual(Object.keys(copy).sort(), ["__proto__", "code", "detail", "nothing"]);
  assertStrictEquals(Object.getPrototypeOf(copy), Error.prototype);
  assertEquals(copy.polluted, undefined);
});

test("fromFailure() keeps errors in own properties, with their classes", () => {
  const copy = arrivedError(Object.assign(new Error("outer"), { inner: new TypeError("inner") }));
  assert(copy.inner instanceof TypeError);
});

test("fromFailure() has own properties that cannot be cloned as text [P7]", () => {
  const copy = arrivedError(Object.assign(new Error("what"), { fn: Math.max, symbol: Symbol("s") }));
  assertMatch(copy.fn, /function max/);
  assertEquals(copy.symbol, "Symbol(s)");
});

test("toFailure() asks the channel what can be cloned", () => {
  const refuse = () => {
    throw new DOMException("no", "DataCloneError");
  };
  const copy = revived(toFailure(Object.assign(new Error("what"), { buffer: { b: 1 } }), refuse)) as { buffer: string };
  assertEquals(copy.buffer, "[object Object]");
});

test("fromFailure() gives thrown values that are no errors as they were [test_swallows_falsey_exceptions]", () => {
  for (const thrown of [undefined, null, 0, -0, NaN, "", false, 5n, "text", { a: [1] }, []]) {
    const copy = arrived(thrown);
    if (typeof thrown === "object") node.deepEqual(copy, thrown);
    else assert(Object.is(copy, thrown), `${String(thrown)} became ${String(copy)}`);
  }
});

test("fromFailure() tells of thrown values that cannot be cloned", () => {
  for (const thrown of [() => 5, Symbol("s"), new WeakMap(), { fn() {} }]) {
    assertMatch(arrivedError(thrown).message, /^A task threw a value that cannot be cloned: /);
  }
});

test("toFailure() survives errors that cannot be looked at", () => {
  const thrower = () => {
    throw new Error("hands off");
  };
  const error = new Error("what");
  for (const key of ["name", "stack", "detail"]) Object.defineProperty(error, key, { get: thrower, enumerable: true });
  assertEquals(arrivedError(error).message, "what");
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert(arrivedError(proxy));
  assert(arrivedError(new Proxy(new Error("what"), { get: thrower, getPrototypeOf: thrower, ownKeys: thrower })));
  assert(arrivedError(Object.assign(new Error("what"), { text: { [Symbol.toPrimitive]: thrower, fn() {} } })));
  assert(arrivedError(Object.setPrototypeOf(new Error("what"), null)) instanceof Error);
});

/** A getter, method or trap that throws. */
const thrower = () => {
  throw new Error("hands off");
};

function revokedProxy(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

test("toFailure() sends the error itself, whatever is odd about it", () => {
  const odd: ((error: TypeError) => unknown)[] = [
    (error) => Object.freeze(error),
    (error) => Object.defineProperty(error, "name", { get: thrower }),
    (error) => Object.defineProperty(error, "stack", { get: thrower }),
    (error) => Object.defineProperty(error, "cause", { get: thrower }),
    (error) => Object.defineProperty(error, "errors", { get: thrower }),
    (error) => Object.assign(error, { stack: 5, name: Symbol("s") }),
    (error) => Object.assign(error, { cause: revokedProxy({}), errors: revokedProxy([]), inner: revokedProxy(error) }),
    (error) =>
      Object.assign(error, {
        inner: {
          get [Symbol.toStringTag]() {
            return thrower();
          },
          toString: thrower,
        },
      }),
    (error) => Object.assign(error, { errors: [revokedProxy({}), { toString: thrower, fn() {} }] }),
    (error) =>
      Object.setPrototypeOf(
        error,
        class extends TypeError {
          static override get name() {
            return thrower();
          }
        }.prototype,
      ),
    (error) =>
      Object.setPrototypeOf(
        error,
        class extends TypeError {
          static override name = 5 as never;
        }.prototype,
      ),
    (error) => Object.setPrototypeOf(error, Object.create(TypeError.prototype, { constructor: { get: thrower } })),
    (error) => new Proxy(error, { ownKeys: thrower, has: thrower, getOwnPropertyDescriptor: thrower }),
    (error) => Object.assign(error, Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`p${n}`, n]))),
  ];
  for (const [index, make] of odd.entries()) {
    const error = arrivedError(make(new TypeError("itself")));
    node.deepEqual([error instanceof TypeError, error.message], [true, "itself"], `case ${index}`);
  }
  const orphan = arrivedError(Object.setPrototypeOf(new TypeError("itself"), null));
  node.deepEqual([orphan.name, orphan.message], ["Error", "itself"]);
  const nameless = arrivedError(Object.defineProperty(new TypeError("itself"), "name", { get: thrower }));
  assertEquals(nameless.name, "TypeError");
});

test("toFailure() sends an AggregateError of any number of members", () => {
  const members = Array.from({ length: 150_000 }, (_, n) => n % 50 === 0 ? new RangeError(String(n)) : n);
  const copy = arrivedError(new AggregateError(members, "many"));
  assert(copy instanceof AggregateError);
  assertEquals(copy.errors.length, 150_000);
  assert(copy.errors[149_950] instanceof RangeError && copy.errors[149_950].message === "149950");
  assertEquals(copy.errors[149_950].stack, "RangeError: 149950", "of so many, the stacks are not sent");
});

test("toFailure() costs by the members of an AggregateError, not by the length of their list", () => {
  const sparse: unknown[] = [];
  sparse[100_000] = 1;
  const copy = arrivedError(Object.assign(new AggregateError([], "sparse"), { errors: sparse }));
  node.deepEqual([copy.message, copy.errors.length, copy.errors[100_000]], ["sparse", 100_001, 1]);
});

test("toFailure() makes no text of a value whose text would take too long", () => {
  let explosive: unknown = [() => {}];
  for (let i = 0; i < 40; i++) explosive = [explosive, explosive];
  const copy = arrivedError(Object.assign(new Error("what"), { explosive }));
  node.deepEqual([copy.message, copy.explosive], ["what", "[object Array]"]);
});

test("fromFailure() makes the error, whatever its class in the parent does when its name is read", () => {
  class Evil extends Error {
    override get name(): string {
      return thrower();
    }
  }
  const good = toFailure(new Error("real")) as Extract<Failure, { kind: "error" }>;
  const copy = revived({ ...good, classes: ["Evil", "Error"], name: "Evil" }, Evil) as Error;
  assert(copy instanceof Evil);
  node.deepEqual([copy.name, copy.message], ["Evil", "real"]);
});

test("isFailure() takes what toFailure() makes, and nothing else", () => {
  const cycle = new Error("cycle");
  cycle.cause = new AggregateError([cycle, 1], "all");
  for (
    const thrown of [
      undefined,
      5,
      { a: 1 },
      new Error("x"),
      new DOMException("x"),
      cycle,
      Object.assign(cycle, { cycle }),
    ]
  ) {
    assert(isFailure(structuredClone(toFailure(thrown))));
  }
  const good = toFailure(new Error("what")) as Extract<Failure, { kind: "error" }>;
  const sparse = new Array(2 ** 32 - 1);
  const fields: Record<string, unknown[]> = {
    kind: ["other", ["error"], undefined],
    classes: [5, null, "Error", [5], [["Error"]], sparse, [, "Error"], Array(1000).fill("Error"), ["x".repeat(10_000)]],
    name: [5, null, undefined, ["Error"], { toString: thrower }, Object("Error")],
    message: [5, null, undefined, [["what"]], { toString: thrower }],
    stack: [5, null, ["stack"], { toString: thrower }],
    properties: [5, null, undefined, sparse, [5], [["a"]], [[5, 1]], [["a", 1, 2]], [[, 1]], [{
      0: "a",
      1: 1,
      length: 2,
    }]],
    nested: [5, null, undefined, sparse, [["cause"]], [["cause", null]], [["cause", {}]], [["cause", {
      kind: "value",
    }]], [[5, good]]],
    errors: [5, null, {}, sparse, [1], [null], [, good], [[good]]],
  };
  for (const [field, values] of Object.entries(fields)) {
    for (const [index, value] of values.entries()) {
      assertEquals(isFailure({ ...good, [field]: value }), false, `${field}: case ${index}`);
      assertEquals(
        isFailure({ ...good, nested: [["cause", { ...good, [field]: value }]] }),
        false,
        `nested ${field}: case ${index}`,
      );
    }
  }
  for (const field of Object.keys(good)) {
    const { [field as "name"]: _, ...rest } = good;
    assertStrictEquals(isFailure(rest), field === "stack" || field === "errors", `without ${field}`);
    assertStrictEquals(
      isFailure(Object.defineProperty({ ...rest }, field, { get: thrower, enumerable: true })),
      field === "stack" || field === "errors",
    );
  }
  assertEquals(isFailure(revokedProxy({})), false);
});

test("fromFailure() makes errors that are nested too deep for recursion", () => {
  const good = toFailure(new Error("what")) as Extract<Failure, { kind: "error" }>;
  const chain: Failure[] = [good];
  for (let n = 1; n < 50_000; n++) chain.push({ ...good, nested: [["cause", chain[n - 1]!]] });
  const copy = revived({ ...good, errors: chain.reverse() }) as AggregateError;
  assertEquals(copy.errors.length, 50_000);
  assertStrictEquals(copy.errors[0].cause, copy.errors[1]);
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
    assert(error instanceof Error, `case ${index}`);
    assertEquals(error.message, "A worker sent a malformed failure", `case ${index}`);
  }
});

test("fromFailure() cannot be made to touch prototypes", () => {
  const good = toFailure(new Error("what")) as Extract<Failure, { kind: "error" }>;
  const copy = revived({
    ...good,
    classes: ["__proto__", "constructor", "Object"],
    properties: [["__proto__", { polluted: true }], ["constructor", 5]],
  }) as Error & { polluted?: boolean };
  assertStrictEquals(Object.getPrototypeOf(copy), Error.prototype);
  assertEquals(({} as { polluted?: boolean }).polluted, undefined);
});
