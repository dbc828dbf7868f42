// Timers for time limits, of any length.

import { assertEquals, assertStrictEquals, fail } from "@std/assert";
import { test } from "node:test";
import { startTimer } from "../../../src/future/timer.ts";
import { delivered } from "../../support/memory_backend.ts";
import { timersOf } from "../../support/observe.ts";

test("startTimer() calls once", async () => {
  let calls = 0;
  await new Promise<void>((resolve) => startTimer(1, () => resolve(void calls++)));
  await delivered();
  assertEquals(calls, 1);
});

test("startTimer() that is cleared never calls, and leaves nothing [L2]", async () => {
  const { left } = await timersOf(async () => {
    const timer = startTimer(1, () => fail("called"));
    timer.clear();
    timer.clear();
    await new Promise<void>((resolve) => startTimer(5, resolve));
  });
  assertEquals(left, 0);
});

test("startTimer() of a time that is too long for setTimeout does not fire at once [L2]", async () => {
  const { delays, left } = await timersOf(async () => {
    const timer = startTimer(2 ** 31 + 5000, () => fail("called"));
    await delivered();
    timer.clear();
  });
  assertStrictEquals(delays[0], 2 ** 31 - 1);
  assertEquals(left, 0);
});

test("startTimer() of Infinity starts no timer [L2]", async () => {
  const { delays } = await timersOf(() => startTimer(Infinity, () => fail("called")).clear());
  assertEquals(delays, []);
});

test("startTimer() of a time that is over fires soon, and not inside the call", async () => {
  let inside = true;
  await new Promise<void>((resolve) => {
    startTimer(-5, () => {
      assertEquals(inside, false);
      resolve();
    });
    inside = false;
  });
});
