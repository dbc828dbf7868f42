// The worker's loop alone. The test plays the parent.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { currentTask, taskModule } from "../../../mod.ts";
import { WordClaims } from "../../../src/wire/claims.ts";
import { type Failure, fromFailure } from "../../../src/wire/failure.ts";
import { readFromWorker, type Said, type ToWorker } from "../../../src/wire/messages.ts";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { delivered } from "../../support/memory_backend.ts";
import { type LoopEnd, startLoop } from "../../support/memory_channel.ts";
import { MemoryGate, pass } from "../../support/memory_gate.ts";
import { until } from "../../support/until.ts";
import { taskRef } from "../../../src/wire/task_ref.ts";
import { assertError } from "../../support/assert_error.ts";

type Run = Extract<ToWorker, { kind: "run" }>;

/** The parent of a worker, and what the worker has said. */
class Parent {
  readonly said: Said[] = [];
  readonly claims: WordClaims | undefined;
  readonly #loop: LoopEnd;
  #next = 0;

  constructor({ claims = false, memory = () => 0 }: { claims?: boolean; memory?: () => number } = {}) {
    if (claims) this.claims = new WordClaims();
    this.#loop = startLoop((message) => this.said.push(readFromWorker(message)!), memory);
  }

  /** The numbers of the tasks that the worker knows. */
  readonly #told = new Map<unknown, number>();

  /** Ends the worker as its runtime does when it exits by its own will. */
  end(exitCode: number): void {
    this.#loop.end(exitCode);
  }

  /** Starts the worker and waits until it has answered. */
  async init(init: Partial<Extract<ToWorker, { kind: "init" }>> = {}): Promise<this> {
    const claims = this.claims?.shared;
    this.#loop.receive({
      kind: "init",
      name: "worker_0",
      index: 0,
      claims,
      memoryLimit: undefined,
      inlineTasks: true,
      initializer: undefined,
      ...init,
    });
    await delivered();
    return this;
  }

  /** Hands over a call of a function for each list of arguments. Returns the number of the first call. */
  run(fn: unknown, lists: unknown[][], extra: Partial<Run> = {}): number {
    const first = this.#next;
    this.#next += lists.length;
    const number = this.#told.get(fn) ?? first + 1;
    const groups = lists.flatMap((args) => [number, args.length, 1, ...args]);
    const tasks = this.#told.has(fn) ? undefined : [[number, taskRef("run", fn)]] as const;
    this.#told.set(fn, number);
    this.#loop.receive({ kind: "run", tasks, calls: groups, exact: false, attempt: undefined, ...extra });
    return first;
  }

  recall(): void {
    this.#loop.receive({ kind: "recall" });
  }

  abort(call: number, reason: Failure): void {
    this.#loop.receive({ kind: "abort", call, reason });
  }

  /** The outcomes of all calls so far: a result or an error. */
  get outcomes(): unknown[] {
    const outcomes: unknown[] = [];
    for (const message of this.said) {
      if (message.kind !== "done") continue;
      assertStrictEquals(message.first, outcomes.length);
      const failures = new Map<unknown, unknown>();
      for (let i = 0; i < (message.failures?.length ?? 0); i += 2) {
        failures.set(message.failures![i], fromFailure(message.failures![i + 1] as Failure, new Map()));
      }
      message.results.forEach((result, i) => outcomes.push(failures.has(i) ? failures.get(i) : result));
    }
    return outcomes;
  }

  kinds(): string[] {
    return this.said.map(({ kind }) => kind);
  }
}

const double = (n: number) => n * 2;

/** Arguments of so many calls that their task counts as short. */
const ITEMS = Array.from({ length: 2000 }, (_, n) => [n]);

test("serve() says that it is ready, and answers calls in order, many in one message when the task was short before", async () => {
  const parent = await new Parent().init();
  for (let round = 1; round <= 2; round++) {
    const before = parent.kinds().length;
    parent.run(double, ITEMS);
    await until("all are answered", () => parent.outcomes.length === round * ITEMS.length);
    assertEquals(parent.kinds()[0], "ready");
    if (round === 2) assert(parent.kinds().length - before < ITEMS.length);
  }
  assertEquals(parent.outcomes, [...ITEMS, ...ITEMS].map(([n]) => n! * 2));
});

test("serve() sends a result before the next call begins, while a call of the task may take long", async () => {
  const parent = await new Parent().init();
  let answers: number[] = [];
  const holder = globalThis as { answered?: () => number };
  holder.answered = () => parent.outcomes.length;
  const fn = (ms: number) => {
    const answered = (globalThis as unknown as { answered: () => number }).answered();
    for (const end = performance.now() + ms; performance.now() < end;);
    return answered;
  };
  const round = async (costs: number[]) => {
    const before = parent.outcomes.length;
    parent.run(fn, costs.map((ms) => [ms]));
    await until("the calls are answered", () => parent.outcomes.length === before + costs.length);
    answers = (parent.outcomes.slice(before) as number[]).map((answered) => answered - before);
  };
  await round([0, 0, 0]);
  assertEquals(answers, [0, 1, 2], "a new task");
  await round(ITEMS.map(() => 0));
  assert(answers.some((answered, n) => answered < n), "a task that was short");
  await round([30, 0, 0, 0]);
  assertEquals(answers.slice(1), [1, 2, 3], "it was long just now");
  delete holder.answered;
});

test("serve() passes any number of arguments", async () => {
  const parent = await new Parent().init();
  parent.run((...args: unknown[]) => args.length, [[], [1], [1, 2], [1, 2, 3], [undefined, undefined]]);
  assertEquals(parent.outcomes, [0, 1, 2, 3, 2]);
});

test("serve() runs its initializer first, and says when it fails [P11]", async () => {
  const failing = { task: taskRef("init", () => Promise.reject(new RangeError("init"))), args: [] };
  const parent = await new Parent().init({ initializer: failing });
  const [message] = parent.said;
  assert(message?.kind === "unready");
  assert(fromFailure(message.failure, new Map()) instanceof RangeError);
});

test("serve() without inline tasks evaluates none, whatever the parent sends later", async () => {
  const parent = await new Parent().init({ inlineTasks: false });
  await parent.init({ inlineTasks: true });
  parent.run(double, [[1]]);
  parent.run(taskModule<{ fn(): void }>("data:text/javascript,export const fn = () => 'run'").fn, [[]]);
  parent.run(taskModule<typeof import("node:path")>("node:path").basename, [["a/b"]]);
  await delivered();
  const [source, data] = parent.outcomes as Error[];
  assertEquals([source!.name, data!.name], ["TypeError", "TypeError"]);
  assertMatch(source!.message, /inline tasks are switched off/);
});

test("serve() without inline tasks runs no initializer by its source", async () => {
  const initializer = { task: taskRef("init", () => {}), args: [] };
  const parent = await new Parent().init({ inlineTasks: false, initializer });
  assertEquals(parent.kinds(), ["unready"]);
});

test("serve() waits for a call's promise before it begins the next [X6]", async () => {
  const parent = await new Parent().init();
  const gate = new MemoryGate();
  parent.run(pass, [[gate.name, 1], [gate.name, 2]]);
  await gate.reached;
  await delivered();
  assertEquals(gate.arrived, 1);
  gate.open();
  await delivered();
  assertEquals(parent.outcomes, [1, 2]);
});

test("serve() sends finished results while it waits for a call", async () => {
  const parent = await new Parent().init();
  const gate = new MemoryGate();
  parent.run(double, [[1]]);
  parent.run(pass, [[gate.name, 2]]);
  await gate.reached;
  await delivered();
  assertEquals(parent.outcomes, [2]);
  gate.open();
  await delivered();
  assertEquals(parent.outcomes, [2, 2]);
});

test("serve() answers a call that throws, or rejects, and goes on", async () => {
  const parent = await new Parent().init();
  const fails = (how: string) => {
    if (how === "throw") throw new TypeError(how);
    return how === "reject" ? Promise.reject(0) : how;
  };
  parent.run(fails, [["throw"], ["reject"], ["fine"]]);
  await delivered();
  const [thrown, rejected, fine] = parent.outcomes;
  assert(thrown instanceof TypeError && thrown.message === "throw");
  assertEquals([rejected, fine], [0, "fine"]);
});

test("serve() steps over calls that the parent has taken back, or could not send", async () => {
  const parent = await new Parent({ claims: true }).init();
  parent.claims!.withdraw(1);
  parent.run(double, [[1], [2], [3]], { calls: [1, 1, 2, 1, 2, -1, 0, 1] });
  assertEquals(parent.outcomes, [2, undefined, undefined]);
});

test("serve() says that it begins a call when asked to", async () => {
  const parent = await new Parent().init();
  parent.run(double, [[1], [2]], { exact: true });
  assertEquals(parent.kinds(), ["ready", "begun", "done", "begun", "done"]);
  const thread = await new Parent({ claims: true }).init();
  thread.run(double, [[1]], { exact: true });
  thread.run(double, [[2]], { exact: true, attempt: 1 });
  assertEquals(thread.kinds(), ["ready", "done", "begun", "done"]);
});

test("serve() gives back calls that it has not begun", async () => {
  const parent = await new Parent().init();
  const gate = new MemoryGate();
  parent.run(pass, [[gate.name, 1], [gate.name, 2]]);
  parent.run(double, [[3]]);
  await gate.reached;
  parent.recall();
  assertEquals(parent.said.at(-1), { kind: "recalled", first: 1 });
  gate.open();
  await delivered();
  assertEquals(parent.outcomes, [1]);
  assertEquals(gate.arrived, 1);
});

test("serve() tells a task its worker and its attempt, and throws when none runs", async () => {
  const parent = await new Parent().init({ name: "pool_7" });
  const url = new URL("../../../mod.ts", import.meta.url).href;
  const ask = async (url: string) => {
    const { currentTask } = await import(url);
    const { workerName, attempt, signal } = currentTask();
    return [workerName, attempt, signal.aborted];
  };
  parent.run(ask, [[url]], { attempt: 2, exact: true });
  for (let turn = 0; turn < 10 && parent.outcomes.length === 0; turn++) await delivered();
  assertEquals(parent.outcomes, [["pool_7", 2, false]]);
  assertError(assertThrows(() => currentTask()), /none runs here/);
});

test("serve() answers a result that cannot be sent with the reason, and its neighbours with theirs [P8]", async () => {
  const parent = await new Parent().init();
  parent.run((n: number) => n === 2 ? () => n : n, [[1], [2], [3]]);
  const [one, error, three] = parent.outcomes;
  assertEquals([one, (error as Error).name, three], [1, "DataCloneError", 3]);
});

test("serve() says when it uses too much memory", async () => {
  let used = 2 ** 20;
  const parent = await new Parent({ memory: () => used }).init({ memoryLimit: 2 });
  parent.run(double, [[1]]);
  used = 3 * 2 ** 20;
  const over = performance.now() + 30; // it looks now and then
  while (performance.now() < over);
  parent.run(double, [[2]]);
  assertEquals(parent.said.map((message) => message.kind === "done" && message.full), [false, false, true]);
});

test("serve() sends finished results when the worker ends by its own will", async () => {
  const parent = await new Parent().init();
  const gate = new MemoryGate();
  parent.run(double, [[1]]);
  parent.run(pass, [[gate.name, 2]]);
  parent.end(3);
  assertEquals(parent.outcomes, [2]);
  assertEquals(parent.said.at(-1), { kind: "bye", exitCode: 3, unbegun: 2, uncaught: false });
});

test(
  "serve() keeps no argument or result of a call that has ended [T8, test_ressources_gced_in_workers]",
  needsCollector,
  async () => {
    const realm = globalThis as { seen?: WeakRef<object> };
    const parent = await new Parent().init();
    const remember = (value: object) => void Object.assign(globalThis, { seen: new WeakRef(value) });
    const used = () => {
      parent.run(remember, [[{ large: true }]]);
      return realm.seen!;
    };
    assertEquals(await isCollected(used), true);
    delete realm.seen;
  },
);

/** Values that throw when they are read. A task may return or throw each; it is answered, and so is the next call. */
const UNKIND: Record<string, () => unknown> = {
  "a `then` that throws when it is read": () => ({
    get then() {
      throw new RangeError("then");
    },
  }),
  "a thenable that throws": () => ({
    then() {
      throw new RangeError("then");
    },
  }),
  "a thenable that settles twice": () => ({
    then(resolve: (value: unknown) => void, reject: (reason: unknown) => void) {
      resolve(1);
      resolve(2);
      reject(3);
    },
  }),
  "a thenable of a thenable": () => ({
    then: (resolve: (value: unknown) => void) => resolve(Promise.resolve(1)),
  }),
  "a callable thenable": () => Object.assign(() => {}, { then: (resolve: (value: unknown) => void) => resolve(1) }),
  "a revoked proxy, thrown": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    throw proxy;
  },
  "a frozen ReferenceError": () => {
    throw Object.freeze(new ReferenceError("x is not defined"));
  },
};

for (const [what, task] of Object.entries(UNKIND)) {
  test(`serve() survives a task that ends in ${what}`, async () => {
    const parent = await new Parent().init();
    (() => {
      parent.run(task, [[]]);
      parent.run(double, [[21]]);
    })();
    await delivered();
    assertEquals(parent.outcomes.length, 2);
    assertEquals(parent.outcomes[1], 42);
    if (what.includes("thenable") && !what.includes("throws")) assertEquals(parent.outcomes[0], 1);
  });
}

test("serve() sends what a task reports before the answer: at once while that is rare, many in one message otherwise", async () => {
  const parent = await new Parent().init();
  const holder = globalThis as { currentTaskOfTest?: typeof currentTask };
  holder.currentTaskOfTest = currentTask;
  const fn = (count: number) => {
    const { report } = (globalThis as unknown as { currentTaskOfTest: typeof currentTask }).currentTaskOfTest();
    for (let n = 0; n < count; n++) report(n);
  };
  const reported = () => parent.said.flatMap((message) => message.kind === "reports" ? [message] : []);
  const few = parent.run(fn, [[10]], { reports: true });
  await until("it is answered", () => parent.outcomes.length === 1);
  assertEquals(reported().map(({ call, values }) => [call, ...values]), Array.from({ length: 10 }, (_, n) => [few, n]));
  assertEquals(parent.kinds().at(-1), "done");
  parent.said.splice(1, 10);

  const many = parent.run(fn, [[50_000]], { reports: true });
  await until("it is answered", () => parent.outcomes.length === 2);
  assertEquals(reported().flatMap(({ values }) => values), Array.from({ length: 50_000 }, (_, n) => n));
  assert(reported().every(({ call }) => call === many));
  assert(reported().length < 5_000, `${reported().length} messages`);
  assertEquals(parent.kinds().at(-1), "done");

  const before = parent.said.length;
  parent.run(fn, [[10]]);
  await until("it is answered", () => parent.outcomes.length === 3);
  assertEquals(parent.kinds().slice(before), ["done"], "nobody listens");
});
