// taskRef(), task(), taskModule(): how a function is named for a worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { task, taskModule } from "../mod.ts";
import { taskRef } from "../src/wire/task_ref.ts";

/** What a function is called on the wire. */
const refOf = (fn: unknown) => taskRef("try this", fn);

test("taskRef() of a self-contained function is its source", () => {
  const double = (n: number) => n * 2;
  assert.deepEqual(refOf(double), { kind: "source", source: double.toString() });
  assert.equal(refOf(async function* () {}).kind, "source");
});

test("taskRef() refuses what is no function, with what it was [X3, test_submit_keyword]", () => {
  for (const wrong of [undefined, null, 5, "text", {}, []]) assert.throws(() => refOf(wrong), TypeError);
  assert.throws(() => refOf(null), { message: "Cannot try this as it must be a function: received null" });
});

test("taskRef() refuses functions whose source does not stand for them", () => {
  const bound = (() => 5).bind(null);
  assert.throws(() => refOf(bound), { name: "TypeError", message: /bound and native functions have no source/ });
  assert.throws(() => refOf(Math.max), { name: "TypeError", message: /received 'max'/ });
  assert.throws(() => refOf(class Pot {}), { name: "TypeError", message: /a class cannot be called: received 'Pot'/ });
  assert.throws(() => refOf(new Proxy(() => 5, {})), TypeError);
});

test("taskRef() of a function with such words in its source is fine", () => {
  const honest = () => "class { [native code] }";
  const classify = () => 5;
  assert.equal(refOf(honest).kind, "source");
  assert.equal(refOf(classify).kind, "source");
});

test("task() names a function by its module and its own name, and leaves it callable [P5]", () => {
  const triple = task(import.meta.url, function triple(n: number) {
    return n * 3;
  });
  assert.equal(triple(2), 6);
  assert.deepEqual(refOf(triple), { kind: "export", module: import.meta.url, name: "triple" });
  assert.deepEqual(Object.keys(triple), []);
});

test("task() takes URL objects too, and a function once more", () => {
  const again = task(new URL("https://example.com/a.ts"), function again() {});
  task("https://example.com/b.ts", again);
  assert.deepEqual(refOf(again), { kind: "export", module: "https://example.com/b.ts", name: "again" });
});

test("task() refuses a function without a name, and a URL that is none", () => {
  assert.throws(() => task(import.meta.url, () => 5), { name: "TypeError", message: /the name of its export/ });
  assert.throws(() => task(import.meta.url, 5 as never), TypeError);
  for (const url of ["./words.ts", "", undefined, 5]) {
    assert.throws(() => task(url as never, function fn() {}), { name: "TypeError", message: /an absolute URL/ });
  }
});

test("taskModule() names every export, the same each time", () => {
  const url = new URL("./words.ts", import.meta.url);
  const words = taskModule<{ count(text: string): number; default(): void }>(url);
  assert.equal(words.count, words.count);
  assert.equal(words.count.name, "count");
  assert.deepEqual(refOf(words.count), { kind: "export", module: url.href, name: "count" });
  assert.deepEqual(refOf(words.default), { kind: "export", module: url.href, name: "default" });
});

test("taskModule() names exports called as what every object has", () => {
  const names = taskModule<Record<"toString" | "constructor" | "__proto__", () => void>>("https://example.com/a.ts");
  for (const name of ["toString", "constructor", "__proto__"] as const) {
    assert.deepEqual(refOf(names[name]), { kind: "export", module: "https://example.com/a.ts", name });
  }
});

test("taskModule() cannot be called here, and says so", () => {
  const words = taskModule<{ count(text: string): number }>("https://example.com/words.ts");
  assert.throws(() => words.count("a b"), { name: "TypeError", message: /submit it to an executor/ });
});

test("taskModule() is no thenable: it survives an await", async () => {
  const words = taskModule<{ then(): void }>("https://example.com/words.ts");
  assert.equal(await Promise.resolve(words), words);
});

test("taskModule() refuses a URL that is none", () => {
  for (const url of ["./words.ts", "node_modules/words", undefined]) {
    assert.throws(() => taskModule(url as never), { name: "TypeError", message: /an absolute URL/ });
  }
});
