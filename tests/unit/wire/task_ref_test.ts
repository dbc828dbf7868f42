// taskRef(), task(), taskModule(): how a function is named for a worker.

import assert from "node:assert/strict";
import { sep } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { task, taskModule } from "../../../mod.ts";
import { taskRef } from "../../../src/wire/task_ref.ts";
import { isInline } from "../../../src/wire/messages.ts";

/** Returns the reference of a function. */
const refOf = (fn: unknown) => taskRef("try this", fn);

test("taskRef() of a self-contained function is its source", () => {
  const double = (n: number) => n * 2;
  assert.deepEqual(refOf(double), { kind: "source", source: double.toString() });
  assert.equal(refOf(async function* () {}).kind, "source");
});

test("taskRef() refuses what is not a function, and says what it got [X3, test_submit_keyword]", () => {
  for (const wrong of [undefined, null, 5, "text", {}, []]) assert.throws(() => refOf(wrong), TypeError);
  assert.throws(() => refOf(null), { message: "Cannot try this as it must be a function: received null" });
});

test("taskRef() refuses functions whose source does not stand for them", () => {
  const bound = (() => 5).bind(null);
  assert.throws(() => refOf(bound), { name: "TypeError", message: /bound and native functions have no source/ });
  assert.throws(() => refOf(Math.max), { name: "TypeError", message: /received the function max/ });
  assert.throws(() => refOf(class Pot {}), {
    name: "TypeError",
    message: /a class cannot be called: received the function Pot/,
  });
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
  const { number, of, ...rest } = refOf(triple) as { kind: "export"; module: string; number: number; of: number };
  assert.deepEqual(rest, { kind: "export", module: import.meta.url, name: "triple" });
  assert.ok(number < of, "its number is one of those of its module");
  assert.deepEqual(Object.keys(triple), []);
});

test("task() writes nothing to the function: a frozen one can be a task, and what inherits from one is not", () => {
  const frozen = task(import.meta.url, Object.freeze(function frozen() {}));
  assert.equal((refOf(frozen) as { name: string }).name, "frozen");
  assert.deepEqual(Reflect.ownKeys(frozen), Reflect.ownKeys(function frozen() {}));
  assert.equal(refOf(Object.setPrototypeOf(() => 5, frozen)).kind, "source");
});

test("taskRef() takes no reference from a property, own or inherited", () => {
  const forged = { kind: "source", source: "() => 'forged'" };
  for (const owner of [() => 5, Object.setPrototypeOf(() => 5, {})] as object[]) {
    for (const name of ["task", "tasks"]) {
      const at = Object.getPrototypeOf(owner) === Function.prototype ? owner : Object.getPrototypeOf(owner);
      Object.defineProperty(at, Symbol.for(`@concurrent/futures/${name}`), { value: forged, configurable: true });
    }
    assert.deepEqual(refOf(owner), { kind: "source", source: Function.prototype.toString.call(owner) });
    assert.throws(() => taskRef("try this", owner, false), {
      name: "TypeError",
      message: /inline tasks are switched off/,
    });
  }
});

test("taskRef() without inline tasks takes modules, except those whose URL is their source", () => {
  const of = (url: string) => taskRef("try this", taskModule<{ fn(): void }>(url).fn, false);
  for (const url of ["file:///a.ts", "https://example.com/a.ts", "node:path", "npm:left-pad"]) {
    assert.equal(of(url).kind, "export");
  }
  const message =
    "Cannot try this as inline tasks are switched off: received the function fn of a module whose URL is its source. " +
    "Use task() or taskModule() with the URL of a file";
  for (const url of ["data:text/javascript,export const fn = 1", "DATA:,", " d\nata:,", "blob:null/1"]) {
    assert.throws(() => of(url), { name: "TypeError", message });
    assert.equal(taskRef("try this", taskModule<{ fn(): void }>(url).fn).kind, "export");
  }
});

test("isInline() takes no relative module for one with a place of its own", () => {
  for (const module of ["./a.ts", "a", "", "data:,", "da\tta:,"]) {
    assert.equal(isInline({ kind: "export", module, name: "fn" }), true, module);
  }
  assert.equal(isInline({ kind: "source", source: "() => 5" }), true);
  assert.equal(isInline({ kind: "export", module: import.meta.url, name: "fn" }), false);
});

test("taskRef() tells a method called class from a class", () => {
  const methods = {
    class() {
      return 5;
    },
  };
  assert.equal(refOf(methods.class).kind, "source");
  assert.throws(() => refOf(class {}), { name: "TypeError", message: /a class cannot be called/ });
});

test("task() takes URL objects too, and a function once more", () => {
  const again = task(new URL("https://example.com/a.ts"), function again() {});
  task("https://example.com/b.ts", again);
  const ref = { kind: "export", module: "https://example.com/b.ts", name: "again", number: 0, of: 1 };
  assert.deepEqual(refOf(again), ref);
});

test("task() numbers the functions of a module, so that they need no names", () => {
  const url = "https://example.com/minified.js";
  const [first, second] = [task(url, () => 1), task(url, () => 2)];
  const ref = { kind: "export", module: url, name: "", of: 2 };
  assert.deepEqual([refOf(first), refOf(second)], [{ ...ref, number: 0 }, { ...ref, number: 1 }]);
});

test("task() takes names: of the function, of the module, which has numbers of its own", () => {
  const url = "https://example.com/bundle.js";
  task(url, function other() {});
  const fn = task(url, () => 5, { module: "words", name: "five" });
  const names = { name: "five", named: true, registered: "words" };
  assert.deepEqual(refOf(fn), { kind: "export", module: url, ...names, number: 0, of: 1 });
  const words = taskModule<{ five(): number }>(url, { module: "words" });
  assert.deepEqual(refOf(words.five), { kind: "export", module: url, name: "five", registered: "words" });
});

test("task() takes the path of a file, as CommonJS has it", () => {
  const moduleOf = (path: string) => (refOf(task(path, () => 5)) as { module: string }).module;
  for (const path of ["/a/b.cjs", "/we ird/#1 50% [x]?/\u00fc\\b.cjs"]) {
    if (sep === "/") assert.equal(moduleOf(path), pathToFileURL(path).href);
  }
  assert.equal(moduleOf("C:\\a b\\c.cjs"), "file:///C:/a%20b/c.cjs");
  assert.equal(moduleOf("\\\\host\\share\\c.cjs"), "file://host/share/c.cjs");
});

test("task() refuses what is not a function or not a URL, and options of the wrong type", () => {
  assert.throws(() => task(import.meta.url, 5 as never), { name: "TypeError", message: /'fn' must be a function/ });
  for (const url of ["./words.ts", "words.ts", "", undefined, 5]) {
    assert.throws(() => task(url as never, function fn() {}), {
      name: "TypeError",
      message: /an absolute URL.*__filename/,
    });
  }
  for (const options of [{ name: 5 }, { module: 5 }, { nam: "a" }, 5]) {
    assert.throws(() => task(import.meta.url, () => 5, options as never), {
      name: "TypeError",
      message: /^Cannot make a task/,
    });
  }
  assert.throws(() => taskModule(import.meta.url, { name: "a" } as never), {
    name: "TypeError",
    message: /no option 'name'/,
  });
});

test("taskModule() names every export, the same each time", () => {
  const url = new URL("./words.ts", import.meta.url);
  const words = taskModule<{ count(text: string): number; default(): void }>(url);
  assert.equal(words.count, words.count);
  assert.equal(words.count.name, "count");
  assert.deepEqual(refOf(words.count), { kind: "export", module: url.href, name: "count" });
  assert.deepEqual(refOf(words.default), { kind: "export", module: url.href, name: "default" });
});

test("taskModule() names exports that are called as properties of every object", () => {
  const names = taskModule<Record<"toString" | "constructor" | "__proto__", () => void>>("https://example.com/a.ts");
  for (const name of ["toString", "constructor", "__proto__"] as const) {
    assert.deepEqual(refOf(names[name]), { kind: "export", module: "https://example.com/a.ts", name });
  }
});

test("taskModule() cannot be called here, and says so", () => {
  const words = taskModule<{ count(text: string): number }>("https://example.com/words.ts");
  assert.throws(words.count as unknown as () => void, { name: "TypeError", message: /submit it to an executor/ });
});

test("taskModule() is no thenable: it survives an await", async () => {
  const words = taskModule<{ then(): void }>("https://example.com/words.ts");
  assert.equal(await Promise.resolve(words), words);
});

test("taskModule() refuses what is not a URL", () => {
  for (const url of ["./words.ts", "node_modules/words", undefined]) {
    assert.throws(() => taskModule(url as never), { name: "TypeError", message: /an absolute URL/ });
  }
});
