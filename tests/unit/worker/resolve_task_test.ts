// resolveTask() finds the function of a task in the worker.

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { newPlace, type Place } from "../../../src/wire/place.ts";
import { register } from "../../../src/wire/registry.ts";
import { resolveTask } from "../../../src/worker/resolve_task.ts";
import { assertError } from "../../support/assert_error.ts";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;

/** A function of a module. */
async function loaded(module: string, name: string, place: Place = newPlace()): Promise<AnyFunction> {
  return await resolveTask({ kind: "export", module, name }, place);
}

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

test("resolveTask() finds the export of a module, loaded once", async () => {
  const module = moduleOf("let n = 0; export const next = () => ++n; export default () => 'default';");
  assertEquals((await loaded(module, "next"))(), 1);
  assertEquals((await loaded(module, "next"))(), 2);
  assertEquals((await loaded(module, "default"))(), "default");
});

test("resolveTask() of a missing export names the module, the export and the exports that there are [P5]", async () => {
  const module = moduleOf("export const a = () => 1; export const five = 5;");
  assertError(await assertRejects(() => loaded(module, "b")), (error: Error) => {
    assertEquals(error.name, "TypeError");
    assert(error.message.includes(`'b'`) && error.message.includes(module));
    assertMatch(error.message, /exports nothing of that name; it exports: a, five$/);
    return true;
  });
  assertError(await assertRejects(() => loaded(module, "five")), /exports a number of that name/);
  assertError(
    await assertRejects(() => loaded(moduleOf(""), "toString")),
    /it exports: nothing\. If a build tool has left/,
  );
});

test("resolveTask() of a module that fails to load names it, with the cause [P5]", async () => {
  for (const [source, why] of [["throw new RangeError('at load')", /at load/], ["throw 5", /: 5$/]] as const) {
    assertError(await assertRejects(() => loaded(moduleOf(source), "fn")), (error: Error) => {
      assertMatch(error.message, /^Cannot load the task 'fn' as its module data:text/);
      assertMatch(error.message, why);
      assertNotStrictEquals(error.cause, undefined);
      return true;
    });
  }
  assertError(
    await assertRejects(() => loaded("file:///no/such/module.js", "fn")),
    /Cannot load the task 'fn' as its module file/,
  );
});

test("resolveTask() evaluates a source", () => {
  const double = resolveTask({ kind: "source", source: "(n) => n * 2" }, newPlace()) as AnyFunction;
  assertEquals(double(21), 42);
});

/** Registers functions as a module does when a worker loads it, and returns its URL. */
function moduleWith(...registered: readonly (readonly [name: string, fn: AnyFunction, more?: object])[]): string {
  const module = moduleOf(`export const fn = () => 'exported'; export const unlike = ${modules++};`);
  for (const [name, fn, more] of registered) register({ kind: "export", module, name, ...more }, fn);
  return module;
}
let modules = 0;

test("resolveTask() finds a function that task() was given, under whatever name its module exports it", async () => {
  const renamed = () => "renamed";
  const module = moduleWith(["fn2", renamed]);
  assertStrictEquals(await loaded(module, "fn2"), renamed);
  assertEquals((await loaded(module, "fn"))(), "exported");
});

test("resolveTask() finds a function by its number where its name means nothing", async () => {
  const one = () => 1, two = () => 2, place = newPlace();
  const find = (module: string, ref: object) =>
    resolveTask({ kind: "export", module, name: "", ...ref }, place) as Promise<AnyFunction>;
  for (const names of [["", ""], ["r", "r"], ["one", "two"]] as const) {
    const module = moduleWith([names[0], one], [names[1], two]);
    for (const name of ["", names[1], "unknown"]) {
      assertStrictEquals(await find(module, { name, number: 1, of: 2 }), two, `${name} among ${names}`);
    }
    // Another number, as after a call of task() that only one side makes: the name says more, if it says anything.
    if (names[1] === "two") assertStrictEquals(await find(module, { name: "two", number: 0, of: 2 }), two);
    // Not as many: numbers cannot be trusted.
    for (const name of ["", "unknown"]) {
      assertError(await assertRejects(() => find(module, { name, number: 1, of: 3 })), {
        code: "ERR_TASK_NOT_FOUND",
        message: /Call task\(\) when the module is loaded.*\{ name: "square" \}/,
      });
    }
  }
  // A name that the program has given is not replaced by a number.
  const module = moduleWith(["one", one, { named: true }], ["two", two, { named: true }]);
  assertError(await assertRejects(() => find(module, { name: "three", named: true, number: 1, of: 2 })), {
    code: "ERR_TASK_NOT_FOUND",
  });
});

test("resolveTask() in a worker of the user's own finds what its file has registered, by names that the program gave", async () => {
  const square = () => "square", cube = () => "cube", own = newPlace(true);
  const elsewhere = "file:///nowhere/main.js";
  const find = (ref: object, place = own) =>
    resolveTask({ kind: "export", module: elsewhere, name: "", ...ref }, place) as Promise<AnyFunction>;
  moduleWith(["own.square", square, { named: true }], ["r", square, { registered: "own" }], ["r", cube, {
    registered: "own",
  }]);
  assertStrictEquals(await find({ name: "own.square", named: true, number: 7, of: 9 }), square);
  assertStrictEquals(await find({ name: "x", registered: "own", number: 1, of: 2 }), cube);
  const refused = { message: /fails to load.*import the task's module there, and give it a name/ };
  assertError(await assertRejects(() => find({ name: "r", number: 1, of: 2 })), refused);
  assertError(await assertRejects(() => find({ name: "x", registered: "own", number: 1, of: 3 })), refused);
  assertError(
    await assertRejects(() => find({ name: "own.square", number: 0, of: 1 }), "a name that a build tool may have made"),
    refused,
  );
  assertError(
    await assertRejects(() => find({ name: "own.square", named: true }, newPlace()), "another worker loads the module"),
    /fails to load/,
  );
});

test("resolveTask() finds what a compiler has made of a module of tasks, and no module in place of a broken one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "futures resolve #%"));
  const write = (file: string, code: string) => writeFileSync(join(folder, file), code);
  const load = (file: string) => loaded(pathToFileURL(join(folder, file)).href, "which");
  try {
    write("package.json", '{ "type": "module" }');
    for (const [missing, present] of [["a.ts", "a.js"], ["b.mts", "b.mjs"], ["c.tsx", "c.js"]] as const) {
      write(present, `export const which = () => "${present}";`);
      assertStrictEquals((await load(missing))(), present);
    }
    write("d.js", "export const which = () => 'd.js';");
    write("d.ts", "export const which = () => 'd.ts';");
    assertEquals((await load("d.ts"))(), "d.ts");
    write("e.ts", 'import "./no_such.js"; export const which = () => "e.ts";');
    write("e.js", 'export const which = () => "e.js";');
    assertError(await assertRejects(() => load("e.ts")), /e\.ts fails to load/);
    assertError(await assertRejects(() => load("f.ts")), /f\.ts.*(not found|Cannot find)/);
    write("g.js", 'import "./no_such.js";');
    assertError(await assertRejects(() => load("g.ts")), /g\.ts fails to load: .*no_such/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("resolveTask() notes what it loads, for as long as that takes", async () => {
  const place = newPlace();
  const module = moduleOf("export const a = () => 1; await 0;");
  const loading = loaded(module, "a", place);
  assertStrictEquals(place.loading, module);
  await loading;
  await assertRejects(() => loaded(moduleOf("throw new Error('at load')"), "a", place));
  assertEquals(place.loading, undefined);
  assertEquals(place.modules.size, 2);
});

test("resolveTask() of a module that was refused work fails, now and later", async () => {
  const place = newPlace();
  const module = moduleOf("export const a = () => 2; await 0;");
  const first = loaded(module, "a", place);
  place.refused.set(module, new Error("no work"));
  assertError(await assertRejects(() => first), {
    message: `Cannot load the task 'a' as its module ${module} fails to load: no work`,
  });
  assertError(await assertRejects(() => loaded(module, "a", place)), /fails to load: no work/);
  assertEquals((await loaded(moduleOf("export const b = () => 3;"), "b", place))(), 3);
});

test("resolveTask() has a module followed as none of a task's, where anything follows", async () => {
  const place = newPlace(), asked: boolean[] = [];
  place.follow = (isTask, fn) => {
    asked.push(isTask);
    return fn();
  };
  await loaded(moduleOf("export const a = () => 4;"), "a", place);
  assertEquals(asked, [false]);
});
