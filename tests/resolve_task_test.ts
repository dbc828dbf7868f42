// resolveTask(): from a task's name to its function, in the worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { taskRef } from "../src/wire/task_ref.ts";
import { explainClosure, resolveTask } from "../src/worker/resolve_task.ts";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;

/** A function, sent by its source. */
function sent(fn: AnyFunction): AnyFunction {
  return resolveTask(taskRef("send this", fn)) as AnyFunction;
}

/** A function of a module. */
async function loaded(module: string, name: string): Promise<AnyFunction> {
  return await resolveTask({ kind: "export", module, name });
}

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

test("resolveTask() evaluates every form of function", async () => {
  assert.equal(sent((n: number) => n * 2)(21), 42);
  assert.equal(
    sent(function (n: number) {
      return n * 2;
    })(21),
    42,
  );
  assert.equal(
    sent(function named(n: number): number {
      return n <= 1 ? 1 : n * named(n - 1);
    })(5),
    120,
  );
  assert.equal(await sent(async (n: number) => await n)(5), 5);
  assert.deepEqual([
    ...sent(function* () {
      yield 5;
    })(),
  ], [5]);
});

test("resolveTask() evaluates methods", async () => {
  const key = ["computed"].join(); // Bun puts constants in their place
  const owner = {
    plain: (n: number) => n,
    short(n: number) {
      return n + 1;
    },
    async later(n: number) {
      return await n + 2;
    },
    *many(n: number) {
      yield n + 3;
    },
    "quoted name"(n: number) {
      return n + 4;
    },
    function(n: number) {
      return n + 5;
    },
  };
  assert.equal(sent(owner.plain)(1), 1);
  assert.equal(sent(owner.short)(1), 2);
  assert.equal(await sent(owner.later)(1), 3);
  assert.deepEqual([...sent(owner.many)(1)], [4]);
  assert.equal(sent(owner["quoted name"])(1), 5);
  assert.equal(sent(owner.function)(1), 6);
  // A computed name is lost with the scope that it was computed in.
  assert.throws(() => sent({ [key]() {} }[key]!), Error);
});

test("resolveTask() evaluates in strict mode and sees no scope but the global one", () => {
  assert.equal(
    sent(function (this: unknown) {
      return this;
    })(),
    undefined,
  );
  const hidden = Math.random();
  assert.throws(() => sent(() => hidden)(), ReferenceError);
  assert.equal(sent(() => typeof Array)(), "function");
});

test("resolveTask() evaluates a source that ends in a comment", () => {
  const source = "(n) => n * 2 // twice";
  assert.equal((resolveTask({ kind: "source", source }) as AnyFunction)(2), 4);
});

test("resolveTask() finds the export of a module, loaded once", async () => {
  const module = moduleOf("let n = 0; export const next = () => ++n; export default () => 'default';");
  assert.equal((await loaded(module, "next"))(), 1);
  assert.equal((await loaded(module, "next"))(), 2);
  assert.equal((await loaded(module, "default"))(), "default");
});

test("resolveTask() of a missing export names the module, the export and what there is [P5]", async () => {
  const module = moduleOf("export const a = () => 1; export const five = 5;");
  await assert.rejects(loaded(module, "b"), (error: Error) => {
    assert.equal(error.name, "TypeError");
    assert.ok(error.message.includes(`'b'`) && error.message.includes(module));
    assert.match(error.message, /exports nothing of that name; it exports: a, five$/);
    return true;
  });
  await assert.rejects(loaded(module, "five"), /exports a number of that name/);
  await assert.rejects(loaded(moduleOf(""), "toString"), /it exports: nothing$/);
});

test("resolveTask() of a module that fails to load names it, with the cause [P5]", async () => {
  for (const [source, why] of [["throw new RangeError('at load')", /at load/], ["throw 5", /: 5$/]] as const) {
    await assert.rejects(loaded(moduleOf(source), "fn"), (error: Error) => {
      assert.match(error.message, /^Cannot load the task 'fn' as its module data:text/);
      assert.match(error.message, why);
      assert.notEqual(error.cause, undefined);
      return true;
    });
  }
  await assert.rejects(loaded("file:///no/such/module.js", "fn"), /Cannot load the task 'fn' as its module file/);
});

test("explainClosure() says which name a function closed over, and what to do", () => {
  const outer = Math.random();
  try {
    sent(() => outer)();
    assert.fail("it must not find it");
  } catch (error) {
    assert.equal(explainClosure(error), error);
    assert.match((error as Error).message, /^outer is not defined: an inline task .* pass 'outer' as an argument$/);
  }
});

test("explainClosure() leaves other errors as they are", () => {
  for (const other of [new TypeError("x is not defined"), new ReferenceError("Cannot access it yet"), 5, undefined]) {
    const message = (other as Error | undefined)?.message;
    assert.equal(explainClosure(other), other);
    assert.equal((other as Error | undefined)?.message, message);
  }
});
