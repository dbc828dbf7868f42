// How far reports of a thread may be ahead of the program.

import { assert, assertThrows } from "@std/assert";
import { test } from "node:test";
import { Pace, PaceMaker } from "../../../src/thread/pace.ts";
import { nextTurn } from "../../../src/wire/turn.ts";

/** Sends so many messages; returns how long that took, in milliseconds. */
function send(pace: Pace, count: number): number {
  const start = performance.now();
  for (let n = 0; n < count; n++) pace.keep();
  return performance.now() - start;
}

/** As the program reads them. */
async function read(maker: PaceMaker, count: number): Promise<void> {
  for (let n = 0; n < count; n++) maker.note();
  await new Promise<void>(nextTurn);
}

test("a message waits when 128 are not read, and as many more follow", () => {
  const maker = new PaceMaker(), pace = new Pace(maker.shared);
  send(pace, 128);
  assert(send(pace, 1) > 90);
  send(pace, 127);
  assert(send(pace, 1) > 90);
});

test("what was read makes room, as much as was read", async () => {
  const maker = new PaceMaker(), pace = new Pace(maker.shared);
  for (let round = 0; round < 3; round++) {
    send(pace, 128);
    await read(maker, 128);
  }
  send(pace, 128);
  assert(send(pace, 1) > 90);
  await read(maker, 129);
  send(pace, 128);
  assert(send(pace, 1) > 90, "what it was forgiven does not count for ever");
});

test("the program says what it has read once in a turn", async () => {
  const maker = new PaceMaker(), words = new Int32Array(maker.shared);
  for (let n = 0; n < 5; n++) maker.note();
  assert(words[0] === 0);
  await new Promise<void>(nextTurn);
  assert(words[0] === 5);
});

test("nothing is sent, and nothing waits, when the worker is being ended", () => {
  const maker = new PaceMaker(), pace = new Pace(maker.shared);
  send(pace, 128);
  assert(!pace.hasRefused);
  maker.end();
  for (let n = 0; n < 200; n++) assertThrows(() => pace.keep(), Error, "Cannot report as the worker");
  assert(pace.hasRefused);
});
