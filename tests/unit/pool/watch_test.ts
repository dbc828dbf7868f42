// Calls that turn out long while they run, and what was handed over behind them. Time passes when the test says so, which
// plays the worker.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test, type TestContext } from "node:test";
import { MemoryExecutor, type MemoryWorker } from "../../support/memory_backend.ts";
import { turn, VirtualTime } from "../../properties/virtual_time.ts";

const short = (n: number) => n;

/** How many calls the executor has seen, all of them short: the number of the next. */
const KNOWN = 40;

interface Scene {
  readonly executor: MemoryExecutor;
  readonly worker: MemoryWorker;
  readonly time: VirtualTime;
}

/** An executor whose one worker has answered short calls, runs another, and holds 20 behind that. */
async function heldBehind(t: TestContext): Promise<Scene> {
  const time = new VirtualTime();
  time.install();
  t.after(() => time.uninstall());
  const executor = new MemoryExecutor({ maxWorkers: 1, onUnobserved() {} }, { served: false });
  executor.map(short, Array.from({ length: KNOWN }, () => 0), { chunksize: KNOWN });
  const [worker] = executor.workers as [MemoryWorker];
  worker.ready();
  await turn();
  worker.done(0, Array.from({ length: KNOWN }, () => 0), 0.01 * KNOWN);
  for (let n = 0; n <= 20; n++) executor.submit(short, n);
  await turn();
  assertStrictEquals(worker.calls.length, KNOWN + 21);
  assert(worker.begin(KNOWN));
  t.after(() => executor.killWorkers());
  return { executor, worker, time };
}

/** What the worker holds from call `number` on and can begin; it begins that. */
function begins(worker: MemoryWorker, number: number): unknown[] {
  return worker.calls.flatMap(([arg], at) => at >= number && worker.begin(at) ? [arg] : []);
}

test("Executor takes back what is behind a call that turns out long, and hands over one call after that", async (t) => {
  const { worker, time } = await heldBehind(t);
  await time.advance(40);
  assertEquals(begins(worker, KNOWN + 1), []);
  worker.done(KNOWN, [0, ...Array(20)], 40);
  let next = KNOWN + 21;
  await turn();
  assertEquals(begins(worker, next), [1]);
  worker.done(next++, [1], 0.01);
  await turn();
  assert(begins(worker, next).length > 1, "they are short again");
});

test("Executor leaves calls where they are while their worker gets on", async (t) => {
  const { worker, time } = await heldBehind(t);
  for (let n = 1; n < 10; n++) {
    await time.advance(15);
    assert(worker.begin(KNOWN + n), `call ${n}`);
  }
  assertEquals(begins(worker, KNOWN + 10).length, 11);
});

test("Executor stops to look at its workers when none holds a call behind another, and is not kept alive by that", async (t) => {
  const { worker, time } = await heldBehind(t);
  assertEquals(time.timers, 1);
  assertEquals(time.keepsAlive, false);
  begins(worker, KNOWN);
  worker.done(KNOWN, Array.from({ length: 21 }, () => 0), 0.2);
  await turn();
  await time.advance(10);
  assertEquals(time.timers, 0);
});
