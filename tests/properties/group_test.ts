// Groups against a model, in random programs: a tree of groups whose calls return, fail and are cancelled in any order, whose
// blocks are left, throw, or pass on why they were aborted, and a signal. The model says who is aborted, and what the end of
// each block throws.

import fc from "fast-check";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { CancelledError, type Future, type Group } from "../../mod.ts";
import { delivered, MemoryExecutor } from "../support/memory_backend.ts";
import { property } from "./properties.ts";

/** What tasks wait for: both they and the test are in this program. */
const KEY = "@concurrent/futures/group-test";
type Waits = { resolve(value: unknown): void; reject(reason: unknown): void }[];
const shared = globalThis as unknown as Record<string, Waits>;

/** Ends as the test says. */
function wait(key: string, id: number): Promise<unknown> {
  const waits = (globalThis as unknown as Record<string, Waits>)[key]!;
  return new Promise((resolve, reject) => waits[id] = { resolve, reject });
}

/** How a group can be made: the index of the group that it is in, modulo those before it. */
interface GroupPlan {
  readonly parent: number;
  /** Somebody inside the parent handles its failure. */
  readonly seen: boolean;
}

interface CallPlan {
  readonly group: number;
  readonly seen: boolean;
}

type Step =
  /** Calls of one group end in one turn. */
  | { readonly do: "end"; readonly group: number; readonly how: readonly ("returns" | "fails" | "nothing")[] }
  | { readonly do: "cancel"; readonly call: number }
  | { readonly do: "leave"; readonly group: number; readonly how: "value" | "throws" | "passes on" }
  | { readonly do: "signal" };

const plan = fc.record({
  groups: fc.array(fc.record({ parent: fc.nat(5), seen: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  calls: fc.array(fc.record({ group: fc.nat(5), seen: fc.boolean() }), { maxLength: 8 }),
  steps: fc.array(
    fc.oneof<fc.WeightedArbitrary<Step>[]>(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("end" as const),
          group: fc.nat(5),
          how: fc.array(fc.constantFrom("returns" as const, "fails" as const, "nothing" as const), {
            minLength: 1,
            maxLength: 3,
          }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), call: fc.nat(7) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("leave" as const),
          group: fc.nat(5),
          how: fc.constantFrom("value" as const, "throws" as const, "passes on" as const),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ do: "signal" as const }) },
    ),
    { maxLength: 12 },
  ),
});

interface Plan {
  readonly groups: readonly GroupPlan[];
  readonly calls: readonly CallPlan[];
  readonly steps: readonly Step[];
}

// --- the model

/** Why something was aborted: the signal's reason itself, or a CancelledError with this cause. */
type Reason = { readonly is: unknown } | { readonly cause: unknown };

type Expected = { readonly value: unknown } | { readonly error: unknown } | { readonly all: readonly unknown[] } | {
  readonly aborted: Reason;
};

class ModelCall {
  readonly group: ModelGroup;
  readonly seen: boolean;
  end: Expected | undefined;

  constructor(group: ModelGroup, seen: boolean) {
    this.group = group;
    this.seen = seen;
    group.calls.push(this);
  }
}

class ModelGroup {
  readonly parent: ModelGroup | undefined;
  readonly seen: boolean;
  readonly calls: ModelCall[] = [];
  readonly inner: ModelGroup[] = [];
  readonly failures: unknown[] = [];
  aborted: Reason | undefined;
  left: { readonly error?: { readonly thrown: unknown } } | undefined;
  end: Expected | undefined;

  constructor(parent: ModelGroup | undefined, seen: boolean) {
    this.parent = parent;
    this.seen = seen;
    parent?.inner.push(this);
  }

  fail(failures: readonly unknown[]): void {
    if (failures.length === 0) return;
    this.failures.push(...failures);
    this.abort({ cause: failures[0] });
    this.look();
  }

  abort(reason: Reason): void {
    if (this.aborted || this.end) return;
    this.aborted = reason;
    for (const inner of this.inner) inner.abort(reason);
    for (const call of this.calls) call.end ??= { aborted: reason };
    this.look();
  }

  /** Its block was left. */
  leave(how: "value" | "throws" | "passes on", thrown: unknown): void {
    if (this.left) return;
    if (how === "throws") {
      this.left = { error: { thrown } };
      this.abort({ cause: thrown });
    } else this.left = {};
    this.look();
  }

  look(): void {
    if (!this.left || this.end || this.calls.some(({ end }) => !end) || this.inner.some(({ end }) => !end)) return;
    const { failures } = this;
    this.end = this.left.error
      ? { error: this.left.error.thrown }
      : failures.length > 1
      ? { all: [...failures] }
      : failures.length === 1
      ? { error: failures[0] }
      : this.aborted
      ? { aborted: this.aborted }
      : { value: "value" };
    const { parent, end } = this;
    if (!parent) return;
    // What the group outside was aborted for is no failure of its own.
    if ("error" in end && !this.seen) parent.fail([end.error]);
    else if ("all" in end && !this.seen) parent.fail([end]);
    parent.look();
  }
}

// --- the program

async function run({ groups: groupPlans, calls: callPlans, steps }: Plan): Promise<void> {
  const waits: Waits = shared[KEY] = [];
  const reports: unknown[] = [];
  const executor = new MemoryExecutor({ maxWorkers: 8, onUnobserved: (report) => reports.push(report) });
  const controller = new AbortController(), reason = new Error("the signal's reason");

  const models: ModelGroup[] = [], made: Group[] = [], ends: Promise<unknown>[] = [];
  const leaves: { resolve(): void; reject(thrown: unknown): void }[] = [];
  const settled: boolean[] = [];
  groupPlans.forEach(({ parent, seen }, n) => {
    models.push(new ModelGroup(n === 0 ? undefined : models[parent % n], n === 0 || seen));
    const block = (group: Group) => {
      made[n] = group;
      return new Promise<string>((resolve, reject) => leaves[n] = { resolve: () => resolve("value"), reject });
    };
    const promise = n === 0 ? executor.group({ signal: controller.signal }, block) : made[parent % n]!.group(block);
    ends.push(promise);
    if (models[n]!.seen) promise.then(() => settled[n] = true, () => settled[n] = true);
  });
  const cancels: AbortController[] = [];
  const calls = callPlans.map(({ group, seen }, id) => {
    const index = group % made.length;
    cancels.push(new AbortController());
    const view = made[index]!.with({ grace: 0, signal: cancels[id]!.signal });
    const future = view.submit(wait, KEY, id) as Future<unknown>;
    if (seen) future.catch(() => {});
    return { future, model: new ModelCall(models[index]!, seen), id };
  });
  await quiet();

  let nextError = 0;
  const endCall = (call: typeof calls[number], how: "returns" | "fails"): unknown[] => {
    if (call.model.end) return [];
    if (how === "returns") {
      call.model.end = { value: call.id };
      waits[call.id]!.resolve(call.id);
      return [];
    }
    const name = `error ${nextError++}`;
    call.model.end = { error: name };
    waits[call.id]!.reject(name);
    return call.model.seen ? [] : [name];
  };
  const leave = (n: number, how: "value" | "throws" | "passes on") => {
    const model = models[n]!;
    if (model.left) return;
    const thrown = new Error("the block");
    model.leave(how, thrown);
    if (how === "throws") leaves[n]!.reject(thrown);
    else if (how === "passes on" && made[n]!.signal.aborted) leaves[n]!.reject(made[n]!.signal.reason);
    else leaves[n]!.resolve();
  };
  const check = () => {
    models.forEach(({ end, seen, aborted }, n) => {
      if (seen) assertStrictEquals(settled[n] ?? false, end !== undefined, `group ${n} has ended`);
      if (!end) assertStrictEquals(made[n]!.signal.aborted, aborted !== undefined, `group ${n} is aborted`);
    });
    for (const { future, model, id } of calls) {
      assertStrictEquals(future.done(), model.end !== undefined, `call ${id} is done`);
    }
  };

  for (const step of steps) {
    if (step.do === "end") {
      const group = models[step.group % models.length]!,
        open = calls.filter(({ model }) => model.group === group && !model.end);
      const failures = step.how.flatMap((how, n) => how === "nothing" || !open[n] ? [] : endCall(open[n], how));
      group.fail(failures);
      group.look();
    } else if (step.do === "cancel") {
      const call = calls[step.call];
      if (!call || call.model.end) continue;
      const own = new Error("its own signal");
      call.model.end = { aborted: { is: own } };
      cancels[call.id]!.abort(own);
      call.model.group.look();
    } else if (step.do === "leave") leave(step.group % models.length, step.how);
    else if (!controller.signal.aborted) {
      const [root] = models;
      if (!root!.aborted && !root!.end) {
        root!.failures.push(reason);
        root!.abort({ is: reason });
      }
      controller.abort(reason);
    }
    await quiet();
    check();
  }
  // Whatever is open ends well.
  for (const call of calls) {
    endCall(call, "returns");
    call.model.group.look();
  }
  await quiet();
  for (let n = models.length - 1; n >= 0; n--) {
    leave(n, "value");
    await quiet();
  }
  for (const [n, { end }] of models.entries()) {
    if (models[n]!.seen) assert(end, `group ${n} has ended`);
    const told = await ends[n]!.then((value) => ({ value }), (error) => ({ error }));
    expectEnd(told, end!, `group ${n}`);
  }
  for (const { future, model, id } of calls) {
    const told = await future.then((value) => ({ value }), (error) => ({ error }));
    expectEnd(told, model.end!, `call ${id}`);
    assertStrictEquals(future.cancelled(), "aborted" in model.end!, `call ${id} was cancelled`);
  }
  await executor.shutdown();
  assertEquals(reports, [], "groups throw their failures, and nobody else tells of them");
}

function expectEnd(told: { value: unknown } | { error: unknown }, end: Expected, what: string): void {
  if ("value" in end) return assertEquals(told, end, what);
  assert("error" in told, `${what} has failed`);
  const { error } = told;
  if ("error" in end) return expectFailure(error, end.error, what);
  if ("all" in end) {
    assert(error instanceof AggregateError, `${what}: ${error}`);
    assertEquals(error.errors.length, end.all.length, what);
    return end.all.forEach((failure, n) => expectFailure(error.errors[n], failure, what));
  }
  if ("is" in end.aborted) return assertStrictEquals(error, end.aborted.is, what);
  assert(error instanceof CancelledError, `${what}: ${error}`);
  expectFailure(error.cause, end.aborted.cause, what);
}

/** A failure of a group inside that has several is an AggregateError. */
function expectFailure(found: unknown, failure: unknown, what: string): void {
  if (typeof failure !== "object" || failure === null || !("all" in failure)) {
    return assertStrictEquals(found, failure, what);
  }
  expectEnd({ error: found }, failure as Expected, what);
}

/** What has to happen has happened: messages, turns of the event loop and a grace of 0. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await delivered();
}

property("Executor.group() aborts whom it should, and throws what it should", 100, plan, run);
