// evaluate() makes a function from its source. explain() says what to do when the function fails for lack of its scope.

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { test } from "node:test";
import { taskRef } from "../../../src/wire/task_ref.ts";
import { evaluate, explain } from "../../../src/worker/inline_task.ts";
import { assertError } from "../../support/assert_error.ts";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;

/** Sends a function by its source. */
function sent(fn: AnyFunction): AnyFunction {
  const ref = taskRef("send this", fn);
  assert(ref.kind === "source");
  return evaluate(ref.source);
}

test("evaluate() takes every form of function", async () => {
  assertEquals(sent((n: number) => n * 2)(21), 42);
  assertEquals(
    sent(function (n: number) {
      return n * 2;
    })(21),
    42,
  );
  assertEquals(
    sent(function named(n: number): number {
      return n <= 1 ? 1 : n * named(n - 1);
    })(5),
    120,
  );
  assertEquals(await sent(async (n: number) => await n)(5), 5);
  assertEquals([
    ...sent(function* () {
      yield 5;
    })(),
  ], [5]);
});

test("evaluate() takes methods", async () => {
  const key = ["computed"].join(); // Bun would inline a constant
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
  assertEquals(sent(owner.plain)(1), 1);
  assertEquals(sent(owner.short)(1), 2);
  assertEquals(await sent(owner.later)(1), 3);
  assertEquals([...sent(owner.many)(1)], [4]);
  assertEquals(sent(owner["quoted name"])(1), 5);
  assertEquals(sent(owner.function)(1), 6);
  // A computed name is lost with the scope that it was computed in.
  assertThrows(() => sent({ [key]() {} }[key]!), ReferenceError);
});

test("evaluate() works in strict mode and sees no scope but the global one", () => {
  assertEquals(
    sent(function (this: unknown) {
      return this;
    })(),
    undefined,
  );
  const hidden = Math.random();
  assertThrows(() => sent(() => hidden)(), ReferenceError);
  assertEquals(sent(() => typeof Array)(), "function");
});

test("evaluate() takes a source that ends in a comment", () => {
  const source = "(n) => n * 2 // twice";
  assertEquals((evaluate(source))(2), 4);
});

test("evaluate() takes methods by any name, as a runtime may print them", async () => {
  const names = ["'quoted'", '"two words"', "'`'", "über", "\\u0061b", "class", "function", "get", "set"];
  names.push(
    "static",
    "async",
    "await",
    "yield",
    "new",
    "if",
    "__proto__",
    "$",
    "_",
    "7",
    "1.5",
    "0x10",
    "1n",
    "[`x`]",
  );
  names.push('["a" + 1]', "[Symbol.iterator]", "[Symbol.for('x')]", "class /* of its own */ ");
  for (const name of names) {
    assertEquals(evaluate(`${name}(n) { return n + 1; }`)(1), 2, name);
    assertEquals(await evaluate(`async ${name}(n) { return n + 1; }`)(1), 2, `async ${name}`);
    assertEquals([...(evaluate(`*${name}(n) { yield n + 1; }`)(1) as Iterable<number>)], [2], `*${name}`);
    const many = evaluate(`async* ${name}(n) { yield n + 1; }`)(1) as AsyncIterable<number>;
    for await (const n of many) assertEquals(n, 2, `async* ${name}`);
  }
});

test("evaluate() takes static methods, and calls no getter", () => {
  class Numbers {
    static twice(n: number) {
      return n * 2;
    }
    static class(n: number) {
      return n * 3;
    }
  }
  assertEquals(sent(Numbers.twice)(2), 4);
  assertEquals(sent(Numbers.class)(2), 6);
  for (const source of ["get x() { throw new Error('called'); }", "set x(n) {}", "get [`x`]() { return 1; }"]) {
    assertError(assertThrows(() => evaluate(source)), {
      name: "TypeError",
      message: /^Cannot run a getter or a setter as a task/,
    });
  }
});

test("evaluate() of a source that is not a function by itself says what to do", () => {
  const sources: [string, RegExp][] = [
    [
      "() => import.meta.url",
      /has no import\.meta; pass what you need of it as an argument, such as import\.meta\.url/,
    ],
    ["url() { return import.meta.url; }", /has no import\.meta/],
    ["#secret() {}", /a method with a # has no meaning outside of its class/],
    ["async *#secret() {}", /a method with a #/],
    ["() => this.#secret", /cannot be evaluated by itself; move the function to a module and use task\(\)$/],
  ];
  for (const [source, message] of sources) {
    assertError(assertThrows(() => evaluate(source)), (error: Error) => {
      assert(error instanceof SyntaxError);
      assertMatch(error.message, /^Cannot evaluate the source of an inline task: /);
      assertMatch(error.message, message);
      return true;
    });
  }
});

test("evaluate() gives functions what esbuild and tsx put into them, and others nothing", () => {
  const source = `async (n) => {
    function inner() {} __name(inner, "inner"); const arrow = __name2(() => arguments.length, "an arrow");
    class K { static { __name(this, "K"); } }
    return [inner.name, arrow.name, K.name];
  }`;
  const named = evaluate(source)();
  return (named as Promise<string[]>).then((names) => assertEquals(names, ["inner", "an arrow", "K"]));
});

test("evaluate() keeps what is put into functions to these", () => {
  assertEquals(evaluate("() => typeof __name")(), "undefined");
  assertEquals(evaluate(`() => [__name(() => {}, "a").name, typeof globalThis.__name].join()`)(), "a,undefined");
  // An arrow function around it: no `arguments` and no `this` of its own.
  assertThrows(() => evaluate(`() => { __name(() => {}, "a"); return arguments; }`)(), ReferenceError);
  assertEquals(evaluate(`mine(__name) { return __name(1); }`)((n: number) => n + 1), 2);
});

test("evaluate() lets counters of Istanbul count, and drops what they count", () => {
  const source = `(n, d = (cov_1m8sqbl5zg().b[0][0]++, 4)) => { cov_1m8sqbl5zg().f[0]++; cov_1m8sqbl5zg().s[2]++;
    if ((cov_1m8sqbl5zg().b[3][0]++, n > 1) && (cov_1m8sqbl5zg().b[3][1]++, d)) { cov_1m8sqbl5zg().s[7]++; return n + d; }
    return cov_1m8sqbl5zg().s[8]++ ?? 0; }`;
  assertEquals(evaluate(source)(2), 6);
  assertEquals(evaluate(`(n) => (cov_a1().b[0][0]++, cov_a1().cov_a1_temp = n > 1, cov_a1().cov_a1_temp)`)(2), true);
  assertEquals(evaluate(`count(n) { cov_a1().s[0] += 1; return cov_a1().s[0]++, n; }`)(3), 3);
});

test("evaluate() takes no name for an injected one that only looks like it", () => {
  assertThrows(() => evaluate("() => cov_matrix[0]")(), ReferenceError);
  assertThrows(() => evaluate("() => cov_matrix().rows[0]")(), ReferenceError);
  assertThrows(() => evaluate("() => __names()")(), ReferenceError);
});

test("evaluate() lets import() of Vitest import", async () => {
  for (const name of ["__vite_ssr_dynamic_import__", "__vi_import__"]) {
    const path = await evaluate(`async () => await ${name}("node:path")`)() as typeof import("node:path");
    assertEquals(path.posix.join("a", "b"), "a/b", name);
  }
});

/** Returns what explain() says about the error of an inline task. */
async function explained(source: string): Promise<string> {
  try {
    await evaluate(source)();
  } catch (error) {
    assertStrictEquals(explain(error, source), error);
    return (error as Error).message;
  }
  fail("it must not work");
}

test("explain() says which name a function closed over, and what to do", async () => {
  for (const name of ["outer", "$", "_", "_count", "snake_case_1"]) {
    const message = await explained(`() => ${name}`);
    assert(message.startsWith(`${name} is not defined: an inline task is sent by its source and cannot`), message);
    assert(message.endsWith(`pass '${name}' as an argument`), message);
  }
});

test("explain() knows the names that build tools give to imports", async () => {
  const sources = [
    "() => (0,__vite_ssr_import_1__.join)('a')", // Vite, Vitest
    "() => __vi_import_0__.sep",
    "() => (0, import_node_path.join)('a')", // esbuild, tsx
    "() => (0, node_path_1.join)('a')", // TypeScript
    "() => (0, _path.join)('a')", // Babel, Jest
  ];
  for (const source of sources) {
    assertMatch(await explained(source), /turned an import into this.*call import\(\)/);
  }
  for (const name of ["import_meta", "__vite_ssr_import_meta__", "define_import_meta_default"]) {
    assertMatch(
      await explained(`() => ${name}.url`),
      /turned import\.meta into this, .*as an argument, such as import\.meta\.url/,
    );
  }
});

test("explain() knows the helpers of build tools", async () => {
  const helpers = ["__awaiter", "__asyncDelegator", "__spreadValues", "_async_to_generator", "_asyncToGenerator"];
  helpers.push("_class_private_field_get", "_classPrivateFieldGet", "__privateGet_t4v9rzz2", "_ts_decorate");
  for (const helper of helpers) {
    if (helper in globalThis) continue; // tslib defines it when another test has loaded it
    const message = await explained(`() => ${helper}(1)`);
    assertMatch(message, /looks like a helper that your build tool adds.*move the function to a module and use task/);
  }
  // esbuild, with names kept and minified.
  assertMatch(
    await explained(`() => { function o() {} r(o, "inner"); }`),
    /^r is not defined: .*without keeping names/,
  );
});

test("explain() says where a relative import() is looked for", async () => {
  const message = await explained(`async () => await import("./no_such_file.js")`);
  assertMatch(
    message,
    /no_such_file\.js.*: an inline task runs outside of its module, so "\.\/no_such_file\.js" is not relative/,
  );
  assertMatch(message, /pass import\.meta\.resolve\("\.\/no_such_file\.js"\) as an argument/);
  assertNotMatch(await explained(`async () => await import("no-such-package")`), /outside of its module/);
});

test("explain() leaves other errors as they are", () => {
  const frozen = Object.freeze(new ReferenceError("x is not defined"));
  const others = [new TypeError("x is not defined"), new ReferenceError("Cannot access it yet"), 5, undefined, frozen];
  for (const other of others) {
    const message = (other as Error | undefined)?.message;
    assertStrictEquals(explain(other, "() => x"), other);
    assertStrictEquals((other as Error | undefined)?.message, message);
  }
});
