// openWithText(): a worker waits for the text of its entry.

import { assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { EntryText, openWithText } from "../../../src/pool/entry_text.ts";
import { neverStarted, type WorkerExit } from "../../../src/wire/channel.ts";

/** Opens a line to a worker that ends when it is killed, and returns what was sent and how it ended. */
async function exitWith(load: Promise<{ entry: string }>, send: (message: object) => void): Promise<WorkerExit> {
  return await new Promise((resolve) => {
    openWithText(new EntryText(() => load), send, { onMessage() {}, onClose: resolve }, (events) => ({
      ...neverStarted({ onMessage() {}, onClose() {} }, undefined),
      kill: () => events.onClose({ exitCode: 1 }),
    }));
  });
}

test("openWithText() sends the text as soon as it is loaded", async () => {
  const sent = await new Promise((resolve) => void exitWith(Promise.resolve({ entry: "code()" }), resolve));
  assertMatch((sent as { entry: string }).entry, /code\(\)/);
});

test("openWithText() ends the worker when there is no text, or it cannot be sent, and says why", async () => {
  const error = new Error("no such chunk");
  assertEquals(await exitWith(Promise.reject(error), () => {}), { exitCode: 1, error });
  const fail = () => {
    throw error;
  };
  assertEquals(await exitWith(Promise.resolve({ entry: "" }), fail), { exitCode: 1, error });
});

test("a text that is here is sent at once, and a program that blocks need not wait for it", async () => {
  const text = new EntryText(() => Promise.resolve({ entry: "code()" }));
  const events = { onMessage() {}, onClose() {} };
  const start = (sent: object[]) =>
    openWithText(text, (message) => sent.push(message), events, () => neverStarted(events, undefined));
  const first: object[] = [], second: object[] = [];
  assertMatch(start(first).refusesToBlock!, /warmUp/);
  await text.take(() => {});
  assertEquals([first.length, start(second).refusesToBlock, second.length], [1, undefined, 1]);
});
