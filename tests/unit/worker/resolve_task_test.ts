// resolveTask() finds the function of a task in the worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { newPlace, type Place } from "../../../src/wire/place.ts";
import { resolveTask } from "../../../src/worker/resolve_task.ts";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;

/** A function of a module. */
async function loaded(module: string, name: string, place: Place = newPlace()): Promise<AnyFunction> {
  return await resolveTask({ kind: "export", module, name }, place);
}

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

test("resolveTask() finds the export of a module, loaded once", async () => {
  const module = moduleOf("let n = 0; export const next = () => ++n; export default () => 'default';");
  assert.equal((await loaded(module, "next"))(), 1);
  assert.equal((await loaded(module, "next"))(), 2);
  assert.equal((await loaded(module, "default"))(), "default");
});

test("resolveTask() of a missing export names the module, the export and the exports that there are [P5]", async () => {
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

test("resolveTask() evaluates a source", () => {
  const double = resolveTask({ kind: "source", source: "(n) => n * 2" }, newPlace()) as AnyFunction;
  assert.equal(double(21), 42);
});

test("resolveTask() finds a function that task() was given, under whatever name its module exports it", async () => {
  const place = newPlace(), renamed = () => "renamed";
  const module = moduleOf("export const fn = () => 'exported';");
  place.tasks.set(`${module} fn2`, renamed);
  assert.equal(await loaded(module, "fn2", place), renamed);
  assert.equal((await loaded(module, "fn", place))(), "exported");
});

test("resolveTask() notes what it loads, for as long as that takes", async () => {
  const place = newPlace();
  const module = moduleOf("export const a = () => 1; await 0;");
  const loading = loaded(module, "a", place);
  assert.equal(place.loading, module);
  await loading;
  await assert.rejects(loaded(moduleOf("throw new Error('at load')"), "a", place));
  assert.equal(place.loading, undefined);
  assert.equal(place.modules.size, 2);
});

test("resolveTask() of a module that was refused work fails, now and later", async () => {
  const place = newPlace();
  const module = moduleOf("export const a = () => 2; await 0;");
  const first = loaded(module, "a", place);
  place.refused.set(module, new Error("no work"));
  await assert.rejects(first, { message: `Cannot load the task 'a' as its module ${module} fails to load: no work` });
  await assert.rejects(loaded(module, "a", place), /fails to load: no work/);
  assert.equal((await loaded(moduleOf("export const b = () => 3;"), "b", place))(), 3);
});

test("resolveTask() has a module followed as none of a task's, where anything follows", async () => {
  const place = newPlace(), asked: boolean[] = [];
  place.follow = (isTask, fn) => {
    asked.push(isTask);
    return fn();
  };
  await loaded(moduleOf("export const a = () => 4;"), "a", place);
  assert.deepEqual(asked, [false]);
});
