// openWithText(): a worker waits for the text of its entry.

import { assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { openWithText } from "../../../src/pool/entry_text.ts";
import { neverStarted, type WorkerExit } from "../../../src/wire/channel.ts";

/** Opens a line to a worker that ends when it is killed, and returns what was sent and how it ended. */
async function exitWith(text: Promise<{ entry: string }>, send: (message: object) => void): Promise<WorkerExit> {
  return await new Promise((resolve) => {
    openWithText(text, send, { onMessage() {}, onClose: resolve }, (events) => ({
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
