// What comes from a worker whose reports are heard slowly: in order, with turns of the event loop between.

import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { Inbox } from "../../../src/pool/inbox.ts";
import type { FromWorker } from "../../../src/wire/messages.ts";
import { until } from "../../support/until.ts";

/** An inbox, what it has passed on, and what it has said of that. */
class Scene {
  readonly got: unknown[] = [];
  readonly heard: [messages: number, waiting: boolean][] = [];
  leaving = false;
  /** How long each message with reports takes, in milliseconds. */
  slow = 3;
  readonly inbox: Inbox = new Inbox(
    {
      onMessage: (message) => {
        if (message?.kind !== "reports") return void this.got.push(message);
        this.got.push(...message.values);
        for (const end = performance.now() + this.slow; performance.now() < end;);
      },
      onClose: (exit) => void this.got.push(exit),
    },
    (messages, waiting) => void this.heard.push([messages, waiting]),
    () => this.leaving,
  );

  report(...values: unknown[]): void {
    this.inbox.onMessage({ kind: "reports", call: 0, values });
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const last: FromWorker = { kind: "bye", exitCode: 0, unbegun: 1, uncaught: false };

test("everything comes in order, and in several turns, when reports are heard slowly", async () => {
  const scene = new Scene();
  for (const n of numbers(5)) scene.report(2 * n, 2 * n + 1);
  scene.inbox.onMessage(last);
  scene.inbox.onClose({ exitCode: 0 });
  assert(scene.got.length < 10);
  await until("all has come", () => scene.got.length === 12);
  assertEquals(scene.got, [...numbers(10), last, { exitCode: 0 }]);
  await until("it has said so", () => scene.heard.at(-1)?.[1] === false);
  assert(scene.heard.length > 1);
  assertEquals(scene.heard.reduce((sum, [messages]) => sum + messages, 0), 5);
});

test("what is quick comes at once", async () => {
  const scene = new Scene();
  scene.slow = 0;
  scene.report(...numbers(100));
  scene.inbox.onMessage(last);
  assertEquals(scene.got, [...numbers(100), last]);
  await until("it has said so", () => scene.heard.length > 0);
  assertEquals(scene.heard[0], [1, false]);
});

test("reports that wait are dropped when the worker is being ended, and nothing else is", async () => {
  const scene = new Scene();
  scene.report(...numbers(10));
  const heard = scene.got.length;
  assert(heard > 0 && heard < 10);
  scene.leaving = true;
  scene.report("later");
  scene.inbox.onMessage(last);
  scene.inbox.onClose({ exitCode: 0 });
  await until("it has ended", () => scene.got.length >= heard + 2);
  assertEquals(scene.got, [...numbers(heard), last, { exitCode: 0 }]);
});

test("reports that are malformed are passed on as they are", () => {
  const scene = new Scene(), got: unknown[] = [];
  const inbox = new Inbox({ onMessage: (message) => void got.push(message), onClose() {} }, () => {}, () => false);
  for (const values of [undefined, "text", numbers(5000)]) {
    const forged = { kind: "reports", call: 0, values } as never;
    inbox.onMessage(forged);
    assertEquals(got.at(-1), forged);
  }
  inbox.onMessage(undefined as never);
  assertEquals([got.length, scene.got.length], [4, 0]);
});
