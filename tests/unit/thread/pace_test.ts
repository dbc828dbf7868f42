// How far reports of a thread may be ahead of the program.

import { assert, assertThrows } from "@std/assert";
import { test } from "node:test";
import { Pace, PaceMaker } from "../../../src/thread/pace.ts";

/** Sends so many messages; returns how long that took, in milliseconds. */
function send(pace: Pace, count: number): number {
  const start = performance.now();
  for (let n = 0; n < count; n++) pace.keep();
  return performance.now() - start;
}

test("a message waits when 128 are not read, and as many more follow", () => {
  const maker = new PaceMaker(), pace = new Pace(maker.shared);
  send(pace, 128);
  assert(send(pace, 1) > 90);
  send(pace, 127);
  assert(send(pace, 1) > 90);
});

test("what was read makes room, as much as was read", () => {
  const maker = new PaceMaker(), pace = new Pace(maker.shared);
  for (let round = 0; round < 3; round++) {
    send(pace, 128);
    maker.heard(128);
  }
  send(pace, 128);
  assert(send(pace, 1) > 90);
  maker.heard(129);
  send(pace, 128);
  assert(send(pace, 1) > 90, "what it was forgiven does not count for ever");
});

test("nothing is sent, and nothing waits, when the worker is being ended", () => {
  const maker = new PaceMaker(), pace = new Pace(maker.shared);
  send(pace, 128);
  assert(!pace.hasRefused);
  maker.end();
  for (let n = 0; n < 200; n++) assertThrows(() => pace.keep(), Error, "Cannot report as the worker");
  assert(pace.hasRefused);
});
