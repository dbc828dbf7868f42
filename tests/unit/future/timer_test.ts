// Timers for time limits, of any length.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTimer } from "../../../src/future/timer.ts";
import { delivered } from "../../support/memory_backend.ts";
import { timersOf } from "../../support/observe.ts";

test("startTimer() calls once", async () => {
  let calls = 0;
  await new Promise<void>((resolve) => startTimer(1, () => resolve(void calls++)));
  await delivered();
  assert.equal(calls, 1);
});

test("startTimer() that is cleared never calls, and leaves nothing [L2]", async () => {
  const { left } = await timersOf(async () => {
    const timer = startTimer(1, () => assert.fail("called"));
    timer.clear();
    timer.clear();
    await new Promise<void>((resolve) => startTimer(5, resolve));
  });
  assert.equal(left, 0);
});

test("startTimer() of a time that is too long for setTimeout does not fire at once [L2]", async () => {
  const { delays, left } = await timersOf(async () => {
    const timer = startTimer(2 ** 31 + 5000, () => assert.fail("called"));
    await delivered();
    timer.clear();
  });
  assert.equal(delays[0], 2 ** 31 - 1);
  assert.equal(left, 0);
});

test("startTimer() of Infinity starts no timer [L2]", async () => {
  const { delays } = await timersOf(() => startTimer(Infinity, () => assert.fail("called")).clear());
  assert.deepEqual(delays, []);
});

test("startTimer() of a time that is over fires soon, and not inside the call", async () => {
  let inside = true;
  await new Promise<void>((resolve) => {
    startTimer(-5, () => {
      assert.equal(inside, false);
      resolve();
    });
    inside = false;
  });
});
