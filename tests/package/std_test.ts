// What tests import from JSR, or what stands in for it: both say of the same what is wrong.

import {
  assert,
  assertEquals,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
  fail,
} from "@std/assert";
import { abortable, deadline, delay } from "@std/async";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { isJsrReachable } from "../../scripts/jsr.ts";
import { assertError, type ErrorLike } from "../support/assert_error.ts";

const list = [1];

/** What holds, and the same where it does not hold. */
const ASSERTIONS: Record<string, readonly [holds: () => unknown, not: () => unknown]> = {
  assert: [() => assert(1), () => assert(0, "why")],
  assertEquals: [() => assertEquals({ a: [1, undefined] }, { a: [1, undefined] }), () => assertEquals([1], [2])],
  "assertEquals with another length": [
    () => assertEquals(new Set([1]), new Set([1])),
    () => assertEquals(list, [1, 2]),
  ],
  "assertEquals with another prototype": [
    () => assertEquals(new RangeError("a").message, "a"),
    () => assertEquals<object>(new Date(0), {}),
  ],
  assertNotEquals: [() => assertNotEquals([1], [2]), () => assertNotEquals([1], [1])],
  assertStrictEquals: [() => assertStrictEquals(list, list), () => assertStrictEquals([1], list)],
  "assertStrictEquals of zeros": [() => assertStrictEquals(NaN, NaN), () => assertStrictEquals(-0, 0)],
  assertNotStrictEquals: [() => assertNotStrictEquals([1], list), () => assertNotStrictEquals(list, list)],
  assertMatch: [() => assertMatch("abc", /b/), () => assertMatch("abc", /d/)],
  assertNotMatch: [() => assertNotMatch("abc", /d/), () => assertNotMatch("abc", /b/)],
  assertThrows: [() => assertThrows(thrower(1)), () => assertThrows(() => 1)],
  "assertThrows of a class": [
    () => assertThrows(thrower(new RangeError("abc")), RangeError, "b"),
    () => assertThrows(thrower(new RangeError("abc")), TypeError),
  ],
  "assertThrows of a message": [
    () => assertThrows(thrower(new RangeError("abc")), Error, "abc"),
    () => assertThrows(thrower(new RangeError("abc")), RangeError, "d"),
  ],
  fail: [() => assertThrows(() => fail(), AssertionError), () => fail("why")],
};

for (const [name, [holds, not]] of Object.entries(ASSERTIONS)) {
  test(`${name} passes what holds and nothing else`, () => {
    holds();
    assertThrows(not, AssertionError);
  });
}

test("assertRejects() returns the error that it expects", async () => {
  const reason = new RangeError("abc");
  assertStrictEquals(await assertRejects(() => Promise.reject(reason), RangeError, "b"), reason);
  assertStrictEquals(await assertRejects(() => Promise.reject(1)), 1);
  const wrong = [
    () => assertRejects(() => Promise.resolve(1)),
    () => assertRejects(() => Promise.reject(reason), TypeError),
    () => assertRejects(() => Promise.reject(reason), RangeError, "d"),
    () => assertRejects(thrower(reason) as () => Promise<never>),
  ];
  for (const fn of wrong) await assertRejects(fn, AssertionError);
});

test("assertError() takes a pattern, properties, a function or an error, and nothing that differs", () => {
  const error = Object.assign(new RangeError("abc"), { code: 7 });
  const right: ErrorLike[] = [
    ...[/^RangeError: abc$/, { name: "RangeError", message: /b/ }, { message: "abc", code: 7 }],
    ...[new RangeError("abc"), (it: unknown) => it === error],
  ];
  for (const expected of right) assertError(error, expected);
  const wrong: ErrorLike[] = [
    ...[/d/, { name: "TypeError" }, { message: "b" }, { message: /d/ }, { code: 8 }, { other: 1 }],
    ...[new RangeError("d"), new TypeError("abc"), () => false],
  ];
  for (const expected of wrong) assertThrows(() => assertError(error, expected), AssertionError);
});

test("delay(), abortable() and deadline() end when they should", async () => {
  await delay(0);
  const reason = new Error("stopped");
  const aborted = AbortSignal.abort(reason);
  const forever = new Promise<never>(() => {});
  for (const wait of [() => delay(1e6, { signal: aborted }), () => abortable(forever, aborted)]) {
    assertStrictEquals(await assertRejects(wait), reason);
  }
  const controller = new AbortController();
  const waits = [delay(1e6, { signal: controller.signal }), abortable(forever, controller.signal)];
  controller.abort(reason);
  for (const wait of waits) assertStrictEquals(await assertRejects(() => wait), reason);
  assertEquals(await abortable(Promise.resolve(1), new AbortController().signal), 1);
  assertEquals(await deadline(Promise.resolve(1), 1e6), 1);
  const alive = setInterval(() => {}, 1000); // the timer of a deadline does not keep Node alive
  assertError(await assertRejects(() => deadline(forever, 1)), { name: "TimeoutError" });
  clearInterval(alive);
});

test("isJsrReachable() asks for one small file, and takes nothing but an answer", async () => {
  const asked: string[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url!);
    if (url!.includes("none")) response.statusCode = 404;
    response.end(url!.includes("portal") ? "<h1>Please log in</h1>" : `{ "scope": "a" }`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const before = process.env.JSR_URL;
  process.env.JSR_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    assertEquals(await isJsrReachable("@a/b"), true);
    assertEquals(asked, ["/@a/b/meta.json"]);
    for (const name of ["@a/none", "@a/portal"]) assertEquals(await isJsrReachable(name), false, name);
    await new Promise((resolve) => server.close(resolve));
    assertEquals(await isJsrReachable("@a/b"), false);
  } finally {
    if (before === undefined) delete process.env.JSR_URL;
    else process.env.JSR_URL = before;
    server.close();
  }
});

function thrower(error: unknown): () => never {
  return () => {
    throw error;
  };
}
