// The line of shared memory beside the line of a thread: the order of what is written and what is posted, and that nobody
// sleeps over an entry.

import fc from "fast-check";
import { assert, assertEquals, assertThrows, fail } from "@std/assert";
import { test } from "node:test";
import { countCalls, Habit, Line, newLine, type Wire } from "../../../src/thread/line.ts";
import type { FromWorker, ToWorker } from "../../../src/wire/messages.ts";
import { ParentLine } from "../../../src/thread/line_parent.ts";
import { WorkerLine } from "../../../src/thread/line_worker.ts";
import { RING_BYTES } from "../../../src/thread/ring.ts";
import { seal } from "../../../src/wire/seal.ts";
import { nextTurn } from "../../../src/wire/turn.ts";
import { property } from "../../properties/properties.ts";
import { assertError } from "../../support/assert_error.ts";

/** An end of a line that does what a test says. */
class End<Out extends ToWorker | FromWorker, In extends ToWorker | FromWorker> extends Line<Out, In> {
  readonly got: In[] = [];
  /** Called before it looks at what the other side has written. */
  beforeLook = () => {};
  constructor(wire: Wire<Out>, memory: SharedArrayBuffer, side: "parent" | "worker") {
    super(wire);
    this.deliverTo((message) => void this.got.push(message));
    this.open(memory, side);
  }
  protected override isHeard(): boolean {
    this.beforeLook();
    return super.isHeard();
  }
  protected override get hasNext(): boolean {
    this.beforeLook();
    return super.hasNext;
  }
  say = (message: Out) => this.pass(message);
  wakeUp = () => this.awake();
  sleep = () => this.asleep();
  readNext = () => this.next();
  get isUnread(): boolean {
    return this.hasNext;
  }
}

function makeLine() {
  const memory = newLine();
  /** What is posted to the worker and has not come. */
  const posted: unknown[] = [];
  const wire = {
    post: (message: ToWorker) => void posted.push(structuredClone(seal(message))),
    wake: (message: unknown) => void posted.push(message),
  };
  const parent = new End<ToWorker, FromWorker>(wire, memory, "parent");
  const worker = new End<FromWorker, ToWorker>({ post() {}, wake() {} }, memory, "worker");
  return { memory, posted, parent, worker };
}

const calls = (n: unknown) => [0, 1, 1, n] as unknown[] as ToWorker;
const argumentOf = (message: ToWorker) => (message as unknown as unknown[])[3];

property(
  "messages come in the order in which they were sent, written or posted",
  500,
  fc.array(fc.constantFrom("write", "write", "post", "take", "read", "sleep", "awake"), { maxLength: 60 }),
  (steps) => {
    const { posted, parent, worker } = makeLine();
    let sent = 0;
    worker.wakeUp();
    const take = () => posted.length > 0 && worker.take(posted.shift());
    for (const step of steps) {
      if (step === "write") parent.say(calls(sent++));
      else if (step === "post") parent.say(calls([sent++]));
      else if (step === "take") take();
      else if (step === "read") worker.readNext();
      else if (step === "sleep") worker.sleep();
      else worker.wakeUp();
    }
    while (take());
    while (worker.readNext());
    const got = worker.got.map((message) => [argumentOf(message)].flat()[0]);
    assertEquals(got, Array.from({ length: sent }, (_, i) => i));
  },
);

// The sender writes, then looks at the word; the receiver sets the word, then looks for an entry. Two looks may change places
// without anybody noticing. So all orders are those in which one of them does all it does before one step of the other.
test("nobody sleeps over an entry, in whatever order both sides read and write", () => {
  let orders = 0;
  for (const nested of ["the receiver falls asleep while the sender writes", "the other way round"]) {
    for (let at = 0;; at++) {
      const { posted, parent, worker } = makeLine();
      worker.wakeUp();
      let sleeps = false, step = 0, ran = false;
      const send = () => void parent.say(calls(1));
      const fallAsleep = () => void (sleeps = worker.sleep());
      const [outer, inner] = nested.startsWith("the receiver") ? [send, fallAsleep] : [fallAsleep, send];
      parent.beforeLook = worker.beforeLook = () => {
        if (ran || step++ < at) return;
        ran = true;
        inner();
      };
      outer();
      const isLast = !ran;
      ran = true;
      if (isLast) inner();
      orders++;
      assert(!sleeps || posted.length > 0, `${nested}, before step ${at}: it sleeps and nothing wakes it`);
      for (const message of posted) worker.take(message);
      while (worker.readNext());
      assertEquals(worker.got.length, 1);
      if (isLast) break;
    }
  }
  assertEquals(orders, 5);
});

test("a side that sleeps is posted everything, one that is awake nothing that is plain", () => {
  const { posted, parent, worker } = makeLine();
  parent.say(calls(1));
  assertEquals(posted.length, 1);
  worker.take(posted.shift());
  worker.wakeUp();
  parent.say(calls(2));
  parent.say(calls("three"));
  assertEquals(posted.length, 0);
  assertEquals(worker.sleep(), false);
  while (worker.readNext());
  assertEquals(worker.sleep(), true);
  assertEquals(worker.got.map(argumentOf), [1, 2, "three"]);
});

test("what both sides say of a stream comes as it was said", () => {
  const { memory, posted, parent, worker } = makeLine();
  const orders: ToWorker[] = [
    { kind: "more", call: 3, count: 8 },
    { kind: "items", call: 3, input: 1, values: [1, "two", undefined], ended: false },
  ];
  const news: FromWorker[] = [
    { kind: "yields", call: 3, values: [1.5, -0, null, 7n] },
    { kind: "pull", call: 3, input: 1, count: 8 },
  ];
  worker.wakeUp();
  parent.wakeUp();
  for (const order of orders) parent.say(order);
  for (const said of news) worker.say(said);
  assertEquals(posted.length, 0);
  while (worker.readNext());
  while (parent.readNext());
  assertEquals(worker.got, orders);
  assertEquals(parent.got, news);
  // These are rare, or no plain values.
  parent.say({ kind: "items", call: 3, input: 1, values: [], ended: true });
  parent.say({ kind: "items", call: 3, input: 1, values: [{}], ended: false });
  assertEquals(posted.length, 2);
  // A task can write over it.
  worker.say({ kind: "pull", call: 3, input: 1, count: 8 });
  new Int32Array(memory).fill(-1, 256 / 4 + RING_BYTES / 4);
  assert(parent.readNext());
  assertEquals(parent.got.at(-1), undefined);
});

/** A line whose ends are those of a thread, and what was posted through it. */
function makeThread() {
  const posts: string[] = [], heard: FromWorker[] = [], told: ToWorker[] = [];
  /** The wire to one of them, which gets a copy in the next turn. */
  const wireTo = (take: (message: unknown) => void): Wire<ToWorker | FromWorker> => ({
    post(message) {
      posts.push(message.kind ?? "plain");
      const copy = structuredClone(seal(message));
      nextTurn(() => take(copy));
    },
    wake: (message) => nextTurn(() => take(message)),
  });
  const parent: ParentLine = new ParentLine(wireTo((m) => worker.take(m)), (message) => void heard.push(message));
  const worker: WorkerLine = new WorkerLine(wireTo((m) => parent.take(m)), () => fail());
  worker.receive((message) => void told.push(message));
  const turns = async (count: number) => {
    for (let i = 0; i < count; i++) await new Promise<void>(nextTurn);
  };
  return { parent, worker, posts, heard, told, turns };
}

property(
  "whatever the sides of a stream do, neither sleeps over what the other says",
  50,
  fc.array(fc.constantFrom("yield", "more", "call", "answer", "attend", "look", "expect", "tick", "turn"), {
    maxLength: 60,
  }),
  async (steps) => {
    const { parent, worker, heard, told, turns } = makeThread();
    parent.send({ kind: "init", name: "", index: 0, claims: undefined, memoryLimit: undefined } as ToWorker);
    await turns(3);
    let yields = 0, mores = 0;
    for (const step of steps) {
      if (step === "yield") worker.send({ kind: "yields", call: 0, values: [yields++] });
      else if (step === "more") parent.send({ kind: "more", call: 0, count: ++mores });
      else if (step === "call") parent.send(calls(0));
      else if (step === "answer") worker.send([0, 1, 0] as unknown as FromWorker);
      else if (step === "attend") worker.attend();
      else if (step === "look") worker.look();
      else if (step === "expect") parent.expect();
      else if (step === "tick") await Promise.resolve();
      else await turns(1);
    }
    const isAllThere = () =>
      heard.filter(({ kind }) => kind === "yields").length === yields &&
      told.filter(({ kind }) => kind === "more").length === mores;
    for (let left = 10_000; left > 0 && !isAllThere(); left--) await turns(1);
    const got = heard.flatMap((message) => message.kind === "yields" ? message.values : []);
    assertEquals(got, Array.from({ length: yields }, (_, n) => n));
    const counts = told.flatMap((message) => message.kind === "more" ? [message.count] : []);
    assertEquals(counts, Array.from({ length: mores }, (_, n) => n + 1));
  },
);

test("a worker does not look for what a parent that sleeps may say", async () => {
  const { parent, worker, posts, told, turns } = makeThread();
  parent.send({ kind: "init", name: "", index: 0, claims: undefined, memoryLimit: undefined } as ToWorker);
  await turns(3);
  worker.attend();
  assert(!worker.look());
  parent.send({ kind: "more", call: 0, count: 1 });
  assertEquals(posts, ["init", "more"], "it sleeps, too");
  await turns(3);
  assertEquals(told.length, 2);
});

test("a message that cannot be posted was not sent", () => {
  const memory = newLine();
  const posted: unknown[] = [];
  const parent = new End<ToWorker, FromWorker>(
    {
      post: (message) => void posted.push(structuredClone(message)),
      wake() {},
    },
    memory,
    "parent",
  );
  const worker = new End<FromWorker, ToWorker>({ post() {}, wake() {} }, memory, "worker");
  worker.wakeUp();
  assertError(assertThrows(() => parent.say(calls(() => {}))), { name: "DataCloneError" });
  parent.say(calls(2));
  assert(worker.readNext());
  assertEquals(worker.got.map(argumentOf), [2]);
});

test("an entry waits for the message before it", () => {
  const { posted, parent, worker } = makeLine();
  worker.wakeUp();
  parent.say(calls({}));
  parent.say(calls(2));
  assert(!worker.isUnread);
  assert(worker.sleep());
  worker.take(posted.shift());
  assert(worker.readNext());
  assertEquals(worker.got.map(argumentOf), [{}, 2]);
});

test("what is there is read before the end, and nothing after it", () => {
  const { posted, parent, worker } = makeLine();
  worker.wakeUp();
  parent.say(calls(1));
  parent.say(calls({}));
  parent.say(calls(3));
  const atEnd: unknown[] = [];
  worker.end(() => atEnd.push(...worker.got.map(argumentOf)));
  assertEquals(atEnd, [1]);
  worker.take(posted.shift());
  assert(!worker.readNext());
  assertEquals(worker.got.length, 1);
});

test("an entry with garbage is no message, and the last", () => {
  const { memory, parent, worker } = makeLine();
  worker.wakeUp();
  parent.say(calls(1));
  parent.say(calls(2));
  new Int32Array(memory).fill(0x55555555, 256 / 4 + 128 / 4 + 4); // the values of the first, and all that follows
  assert(worker.readNext());
  assertEquals<unknown>(worker.got, [undefined]);
  assert(!worker.readNext());
  assert(worker.sleep());
});

test("looks that do not pay become rare, one that does makes them frequent", () => {
  const habit = new Habit(64);
  const looksOf = (times: number) => {
    let looks = 0;
    for (let i = 0; i < times; i++) {
      if (!habit.isWorthwhile()) continue;
      looks++;
      habit.missed();
    }
    return looks;
  };
  looksOf(1000);
  assert(looksOf(6600) <= 210);
  while (!habit.isWorthwhile());
  habit.paid();
  assertEquals(looksOf(3), 3);
});

test("the calls of a message are counted", () => {
  assertEquals(countCalls([0, 1, 2, "a", "b", 3, 0, 1, 4, 2, 1, 1, 2]), 4);
  assertEquals(countCalls([]), 0);
  assertEquals(countCalls([0, -1, 5, 0, NaN, NaN]), 0);
});
