// CallQueue: first in, first out within a priority, and removal from any place.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { CallQueue, type QueueEntry } from "../../../src/executor/call_queue.ts";

interface Named extends QueueEntry<Named> {
  draw(): Named;
  readonly name: string;
}

/** What the queue does not look at. */
const CALL = {
  task: { number: 0, ref: { kind: "source", source: "" }, cost: Infinity, proven: 0, isGenerator: false },
  cost: Infinity,
  chunk: undefined,
  wanted: true,
} as const;

const queued = (name: string, priority = 0): Named => (
  {
    name,
    priority,
    size: 1,
    ...CALL,
    draw() {
      return this;
    },
    queue: undefined,
    before: undefined,
    after: undefined,
  }
);

/** A queue of these calls. */
function queueOf(...calls: Named[]): CallQueue<Named> {
  const queue = new CallQueue<Named>();
  for (const call of calls) queue.push(call);
  return queue;
}

function drained(queue: CallQueue<Named>): string {
  let names = "";
  for (let call = queue.shift(); call; call = queue.shift()) names += call.name;
  assertEquals(queue.size, 0);
  assertEquals(queue.head, undefined);
  return names;
}

test("CallQueue.shift() gives the calls in the order in which they came [X6]", () => {
  const queue = queueOf(...[..."abc"].map((name) => queued(name)));
  assertEquals(queue.size, 3);
  assertEquals((queue.head as Named).name, "a");
  assertEquals(drained(queue), "abc");
  queue.push(queued("d"));
  assertEquals(drained(queue), "d");
});

test("CallQueue.unshift() puts a call before all others", () => {
  const queue = queueOf(queued("b"));
  queue.unshift(queued("a"));
  queue.push(queued("c"));
  assertEquals(drained(queue), "abc");
});

test("CallQueue.remove() takes a call out, wherever it stands", () => {
  for (const name of "abcd") {
    const calls = [..."abcd"].map((name) => queued(name));
    const queue = queueOf(...calls);
    const call = calls.find((call) => call.name === name)!;
    assertStrictEquals(call.queue, queue as unknown);
    queue.remove(call);
    assertEquals([call.queue, call.before, call.after], [undefined, undefined, undefined]);
    queue.push(queued("e"));
    assertEquals(queue.size, 4);
    assertStrictEquals(drained(queue), "abcde".replace(name, ""));
  }
});

test("CallQueue equals a sorted list, whatever is done to it", () => {
  let seed = 7;
  const random = (below: number) => (seed = seed * 48271 % 2147483647) % below;
  const queue = new CallQueue<Named>();
  let model: Named[] = [];
  for (let step = 0; step < 2000; step++) {
    const what = random(4);
    if (what === 2 && model.length > 0) {
      const [call] = model.splice(random(model.length), 1);
      queue.remove(call!);
    } else if (what === 3) {
      assertStrictEquals(queue.shift(), model.shift());
    } else {
      const call = queued(String(step), random(3) - 1);
      if (what === 0) {
        queue.push(call);
        model = [...model, call];
      } else {
        queue.unshift(call);
        model = [call, ...model];
      }
      model.sort((a, b) => b.priority - a.priority);
    }
    assertStrictEquals(queue.size, model.length);
    assertStrictEquals(queue.head, model[0]);
  }
});
