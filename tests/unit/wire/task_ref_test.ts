// taskRef(), task(), taskModule(): how a function is named for a worker.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { sep } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { task, taskModule } from "../../../mod.ts";
import { taskRef } from "../../../src/wire/task_ref.ts";
import { isInline } from "../../../src/wire/messages.ts";
import { assertError } from "../../support/assert_error.ts";

/** Returns the reference of a function. */
const refOf = (fn: unknown) => taskRef("try this", fn);

test("taskRef() of a self-contained function is its source", () => {
  const double = (n: number) => n * 2;
  assertEquals(refOf(double), { kind: "source", source: double.toString() });
  assertEquals(refOf(async function* () {}).kind, "source");
});

test("taskRef() refuses what is not a function, and says what it got [X3, test_submit_keyword]", () => {
  for (const wrong of [undefined, null, 5, "text", {}, []]) assertThrows(() => refOf(wrong), TypeError);
  assertError(assertThrows(() => refOf(null)), { message: "Cannot try this as it must be a function: received null" });
});

test("taskRef() refuses functions whose source does not stand for them", () => {
  const bound = (() => 5).bind(null);
  assertError(assertThrows(() => refOf(bound)), {
    name: "TypeError",
    message: /bound and native functions have no source/,
  });
  assertError(assertThrows(() => refOf(Math.max)), { name: "TypeError", message: /received the function max/ });
  assertError(assertThrows(() => refOf(class Pot {})), {
    name: "TypeError",
    message: /a class cannot be called: received the function Pot/,
  });
  assertThrows(() => refOf(new Proxy(() => 5, {})), TypeError);
});

test("taskRef() of a function with such words in its source is fine", () => {
  const honest = () => "class { [native code] }";
  const classify = () => 5;
  assertEquals(refOf(honest).kind, "source");
  assertEquals(refOf(classify).kind, "source");
});

test("task() names a function by its module and its own name, and leaves it callable [P5]", () => {
  const triple = task(import.meta.url, function triple(n: number) {
    return n * 3;
  });
  assertEquals(triple(2), 6);
  const { number, of, ...rest } = refOf(triple) as { kind: "export"; module: string; number: number; of: number };
  assertEquals<unknown>(rest, { kind: "export", module: import.meta.url, name: "triple" });
  assert(number < of, "its number is one of those of its module");
  assertEquals(Object.keys(triple), []);
});

test("task() writes nothing to the function: a frozen one can be a task, and what inherits from one is not", () => {
  const frozen = task(import.meta.url, Object.freeze(function frozen() {}));
  assertEquals((refOf(frozen) as { name: string }).name, "frozen");
  assertEquals(Reflect.ownKeys(frozen), Reflect.ownKeys(function frozen() {}));
  assertEquals(refOf(Object.setPrototypeOf(() => 5, frozen)).kind, "source");
});

test("taskRef() takes no reference from a property, own or inherited", () => {
  const forged = { kind: "source", source: "() => 'forged'" };
  for (const owner of [() => 5, Object.setPrototypeOf(() => 5, {})] as object[]) {
    for (const name of ["task", "tasks"]) {
      const at = Object.getPrototypeOf(owner) === Function.prototype ? owner : Object.getPrototypeOf(owner);
      Object.defineProperty(at, Symbol.for(`@concurrent/futures/${name}`), { value: forged, configurable: true });
    }
    assertEquals(refOf(owner), { kind: "source", source: Function.prototype.toString.call(owner) });
    assertError(assertThrows(() => taskRef("try this", owner, false)), {
      name: "TypeError",
      message: /inline tasks are switched off/,
    });
  }
});

test("taskRef() without inline tasks takes modules, except those whose URL is their source", () => {
  const of = (url: string) => taskRef("try this", taskModule<{ fn(): void }>(url).fn, false);
  for (const url of ["file:///a.ts", "https://example.com/a.ts", "node:path", "npm:left-pad"]) {
    assertEquals(of(url).kind, "export");
  }
  const message =
    "Cannot try this as inline tasks are switched off: received the function fn of a module whose URL is its source. " +
    "Use task() or taskModule() with the URL of a file";
  for (const url of ["data:text/javascript,export const fn = 1", "DATA:,", " d\nata:,", "blob:null/1"]) {
    assertError(assertThrows(() => of(url)), { name: "TypeError", message });
    assertEquals(taskRef("try this", taskModule<{ fn(): void }>(url).fn).kind, "export");
  }
});

test("isInline() takes no relative module for one with a place of its own", () => {
  for (const module of ["./a.ts", "a", "", "data:,", "da\tta:,"]) {
    assertEquals(isInline({ kind: "export", module, name: "fn" }), true, module);
  }
  assertEquals(isInline({ kind: "source", source: "() => 5" }), true);
  assertEquals(isInline({ kind: "export", module: import.meta.url, name: "fn" }), false);
});

test("taskRef() tells a method called class from a class", () => {
  const methods = {
    class() {
      return 5;
    },
  };
  assertEquals(refOf(methods.class).kind, "source");
  assertError(assertThrows(() => refOf(class {})), { name: "TypeError", message: /a class cannot be called/ });
});

test("task() takes URL objects too, and a function once more", () => {
  const again = task(new URL("https://example.com/a.ts"), function again() {});
  task("https://example.com/b.ts", again);
  const ref = { kind: "export", module: "https://example.com/b.ts", name: "again", number: 0, of: 1 };
  assertEquals<unknown>(refOf(again), ref);
});

test("task() numbers the functions of a module, so that they need no names", () => {
  const url = "https://example.com/minified.js";
  const [first, second] = [task(url, () => 1), task(url, () => 2)];
  const ref = { kind: "export", module: url, name: "", of: 2 };
  assertEquals([refOf(first), refOf(second)], [{ ...ref, number: 0 }, { ...ref, number: 1 }]);
});

test("task() takes names: of the function, of the module, which has numbers of its own", () => {
  const url = "https://example.com/bundle.js";
  task(url, function other() {});
  const fn = task(url, () => 5, { module: "words", name: "five" });
  const names = { name: "five", named: true, registered: "words" };
  assertEquals(refOf(fn), { kind: "export", module: url, ...names, number: 0, of: 1 });
  const words = taskModule<{ five(): number }>(url, { module: "words" });
  assertEquals(refOf(words.five), { kind: "export", module: url, name: "five", registered: "words" });
});

test("task() takes the path of a file, as CommonJS has it", () => {
  const moduleOf = (path: string) => (refOf(task(path, () => 5)) as { module: string }).module;
  for (const path of ["/a/b.cjs", "/we ird/#1 50% [x]?/\u00fc\\b.cjs"]) {
    if (sep === "/") assertStrictEquals(moduleOf(path), pathToFileURL(path).href);
  }
  assertEquals(moduleOf("C:\\a b\\c.cjs"), "file:///C:/a%20b/c.cjs");
  assertEquals(moduleOf("\\\\host\\share\\c.cjs"), "file://host/share/c.cjs");
});

test("task() refuses what is not a function or not a URL, and options of the wrong type", () => {
  assertError(assertThrows(() => task(import.meta.url, 5 as never)), {
    name: "TypeError",
    message: /'fn' must be a function/,
  });
  for (const url of ["./words.ts", "words.ts", "", undefined, 5]) {
    assertError(assertThrows(() => task(url as never, function fn() {})), {
      name: "TypeError",
      message: /an absolute URL.*__filename/,
    });
  }
  for (const options of [{ name: 5 }, { module: 5 }, { nam: "a" }, 5]) {
    assertError(assertThrows(() => task(import.meta.url, () => 5, options as never)), {
      name: "TypeError",
      message: /^Cannot make a task/,
    });
  }
  assertError(assertThrows(() => taskModule(import.meta.url, { name: "a" } as never)), {
    name: "TypeError",
    message: /no option 'name'/,
  });
});

test("taskModule() names every export, the same each time", () => {
  const url = new URL("./words.ts", import.meta.url);
  const words = taskModule<{ count(text: string): number; default(): void }>(url);
  assertStrictEquals(words.count, words.count);
  assertEquals(words.count.name, "count");
  assertEquals(refOf(words.count), { kind: "export", module: url.href, name: "count" });
  assertEquals(refOf(words.default), { kind: "export", module: url.href, name: "default" });
});

test("taskModule() names exports that are called as properties of every object", () => {
  const names = taskModule<Record<"toString" | "constructor" | "__proto__", () => void>>("https://example.com/a.ts");
  for (const name of ["toString", "constructor", "__proto__"] as const) {
    assertEquals(refOf(names[name]), { kind: "export", module: "https://example.com/a.ts", name });
  }
});

test("taskModule() cannot be called here, and says so", () => {
  const words = taskModule<{ count(text: string): number }>("https://example.com/words.ts");
  assertError(assertThrows(words.count as unknown as () => void), {
    name: "TypeError",
    message: /submit it to an executor/,
  });
});

test("taskModule() is no thenable: it survives an await", async () => {
  const words = taskModule<{ then(): void }>("https://example.com/words.ts");
  assertStrictEquals(await Promise.resolve(words), words);
});

test("taskModule() refuses what is not a URL", () => {
  for (const url of ["./words.ts", "node_modules/words", undefined]) {
    assertError(assertThrows(() => taskModule(url as never)), { name: "TypeError", message: /an absolute URL/ });
  }
});
