// Executor.stream() against a model of a bounded queue, in random programs: messages that are held back, a reader that takes,
// waits, leaves or aborts, an input that gives now and then, and workers that die.

import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { delivered, MemoryExecutor, type MemoryWorker } from "../support/memory_backend.ts";
import { CLAIMS_KINDS } from "../support/memory_channel.ts";
import { property } from "./properties.ts";

/** What a task and its test share: both are in this program. */
interface Shared {
  /** Values that were yielded, or are about to be. */
  produced: number;
  /** How many of the values were taken. */
  taken: number;
  /** The task was ahead by more than it may. */
  tooFar: boolean;
  buffersize: number;
  /** How often the task's `finally` has run. */
  finished: number;
  begun: number;
}

const shared = globalThis as unknown as Record<string, Shared>;

/** Yields 0, 1, ... to below `count`, then throws if it `fails`; with an input, as many as that has items. */
function* sync(key: string, count: number, fails: boolean): Generator<unknown> {
  const world = (globalThis as unknown as Record<string, Shared>)[key]!;
  world.begun++;
  try {
    for (let n = 0; n < count; n++) {
      world.produced++;
      if (world.produced - world.taken > world.buffersize) world.tooFar = true;
      yield n % 5 === 4 ? { n } : n;
    }
    if (fails) throw new RangeError("as planned");
  } finally {
    world.finished++;
  }
}

async function* async(
  key: string,
  count: number,
  fails: boolean,
  items?: AsyncIterable<number>,
): AsyncGenerator<unknown> {
  const world = (globalThis as unknown as Record<string, Shared>)[key]!;
  world.begun++;
  const iterator = items?.[Symbol.asyncIterator]();
  try {
    for (let n = 0; n < count; n++) {
      if (iterator) {
        const item = await iterator.next();
        if (item.done || item.value !== n) throw new Error(`item ${n} is ${item.value}`);
      }
      world.produced++;
      if (world.produced - world.taken > world.buffersize) world.tooFar = true;
      yield n % 5 === 4 ? { n } : n;
    }
    if (fails) throw new RangeError("as planned");
  } finally {
    world.finished++;
  }
}

type Step = { readonly kind: "next" | "deliver" | "hold" | "release" | "give" | "leave" | "abort" | "die" };

const calm: fc.WeightedArbitrary<Step>[] = [
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("next" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("deliver" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("give" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("hold" as const, "release" as const) }) },
];
const rough: fc.WeightedArbitrary<Step>[] = [
  ...calm,
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("leave" as const, "abort" as const, "die" as const) }) },
];

const plan = (steps: fc.WeightedArbitrary<Step>[]) =>
  fc.record({
    claims: fc.constantFrom(...CLAIMS_KINDS),
    task: fc.constantFrom("sync", "async", "input"),
    buffersize: fc.integer({ min: 1, max: 7 }),
    count: fc.nat(40),
    fails: fc.boolean(),
    steps: fc.array(fc.oneof(...steps), { maxLength: 60, size: "max" }),
  });

type Plan = ReturnType<typeof plan> extends fc.Arbitrary<infer P> ? P : never;

/** An input that has an item when it is given one. */
class Input implements AsyncIterable<number> {
  readonly buffersize: number;
  asked = 0;
  given = 0;
  closed = 0;
  waits: ((result: IteratorResult<number>) => void)[] = [];

  constructor(buffersize: number) {
    this.buffersize = buffersize;
  }

  give(): void {
    this.waits.shift()?.({ value: this.given++, done: false });
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: () => {
        this.asked++;
        return new Promise((resolve) => this.waits.push(resolve));
      },
      return: () => {
        this.closed++;
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }
}

async function run({ claims, task, buffersize, count, fails, steps }: Plan): Promise<void> {
  const key = "@concurrent/futures/stream-test";
  const world = shared[key] = { produced: 0, taken: 0, tooFar: false, buffersize, finished: 0, begun: 0 };
  const executor = new MemoryExecutor({ maxWorkers: 1, onUnobserved() {} }, { claims });
  const controller = new AbortController(), input = new Input(buffersize), reason = new Error("aborted");
  const view = executor.with({ buffersize, signal: controller.signal, grace: Infinity });
  const stream = task === "sync"
    ? view.stream(sync, key, count, fails)
    : view.stream(async, key, count, fails, ...(task === "input" ? [input] : []));
  const worker = () => executor.workers.at(-1) as MemoryWorker;
  const results: (unknown | undefined)[] = [];
  const taken: unknown[] = [];
  let ended: "leave" | "abort" | "die" | undefined;
  let asked = 0;
  const take = () => {
    const at = asked++;
    results[at] = undefined;
    return stream.next().then((result) => {
      results[at] = result.done ? "end" : "value";
      if (result.done) return;
      world.taken++;
      taken.push(result.value);
    }, (error) => {
      results[at] = error;
    });
  };
  for (const { kind } of steps) {
    if (kind === "next") void take();
    else if (kind === "deliver") await delivered();
    else if (kind === "hold") worker().hold();
    else if (kind === "release") worker().release();
    else if (kind === "give") input.give();
    else if (!ended) {
      if (world.begun === 0) continue; // what has not begun has tests of its own
      ended = kind;
      if (kind === "leave") void stream.return!();
      else if (kind === "abort") controller.abort(reason);
      else worker().die({ exitCode: 1 }, 0.5);
    }
    assert(!world.tooFar, "the task is never further ahead than it may be");
  }
  worker().release();
  // Until the end: everything is taken, and an input gives all that it is asked for.
  let last: unknown;
  for (let n = 0; n <= count + asked + 2 && !["end"].includes(last as string); n++) {
    void take();
    for (let turn = 0; turn < 200 && results[asked - 1] === undefined; turn++) {
      while (input.waits.length > 0 && input.given < count) input.give();
      await delivered();
    }
    last = results[asked - 1];
    assert(last !== undefined, "whoever waits for a value is answered");
  }
  await delivered();
  assert(!world.tooFar, "the task is never further ahead than it may be");
  const plain = taken.map((value) => typeof value === "object" ? (value as { n: number }).n : value);
  assertEquals(plain, plain.map((_, n) => n), "values come in order, and none twice");
  const outcomes = results.filter((result) => result !== "value");
  const errors = outcomes.filter((result) => result instanceof Error) as Error[];
  assertEquals(last, "end");
  assert(outcomes.slice(errors.length).every((result) => result === "end"), "nothing comes after the end");
  assert(errors.length <= 1, "an error is told once");
  if (!ended) {
    assertEquals([plain.length, errors.map(({ message }) => message)], [count, fails ? ["as planned"] : []]);
  } else if (ended === "leave") {
    assert(errors.length === 0 || errors[0]!.message === "as planned");
  } else if (errors.length > 0) {
    assert([reason.message, "as planned"].includes(errors[0]!.message) || errors[0]!.name === "WorkerLostError");
  }
  if (ended !== "die") assertEquals([world.begun, world.finished], [1, 1], "its finally has run, once");
  if (task === "input") {
    assert(input.asked <= input.given + 1, "an input is asked for one item at a time");
    assert(input.closed <= 1);
    if (world.produced < count && input.asked > 0 && ended && ended !== "die") assertEquals(input.closed, 1);
  }
  executor.killWorkers();
  await executor.shutdown();
}

property("Executor.stream() gives every value, and its task is never too far ahead", 300, plan(calm), run);

property("Executor.stream() ends at its place, however it ends", 300, plan(rough), run);
