// What can be submitted and what cannot: functions by their source, exports of modules, whole modules.

import { assert, assertEquals, assertMatch, assertNotStrictEquals, assertRejects, assertThrows } from "@std/assert";
import { type Future, task, taskModule } from "../../../mod.ts";
import { behaviour, type ExecutorClass, type Kind } from "../behaviour.ts";
import { getState, setState, workerId } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

const plain = taskModule<typeof import("../../fixtures/tasks/plain_module.ts")>(
  new URL("../../fixtures/tasks/plain_module.ts", import.meta.url),
);
const broken = taskModule<typeof import("../../fixtures/tasks/broken_module.ts")>(
  new URL("../../fixtures/tasks/broken_module.ts", import.meta.url),
);
// deno-lint-ignore no-explicit-any
const missing = taskModule<any>(new URL("../tasks/no_such_module.ts", import.meta.url));

/** The first two calls of an executor share a message. The bad one must not harm the good one. */
async function failsAlone(Executor: ExecutorClass, bad: (executor: InstanceType<ExecutorClass>) => Future<unknown>) {
  await using executor = new Executor({ maxWorkers: 1 });
  const before = executor.submit((n: number) => n, 1);
  const failing = bad(executor);
  const after = executor.submit((n: number) => n, 2);
  const error = await failing.exception();
  assertEquals([await before, await after], [1, 2]);
  assertEquals(await executor.submit((n: number) => n, 3), 3, "the executor stays usable");
  assertEquals(executor.stats().lost, 0);
  return error as Error;
}

export function taskCases(kind: Kind): void {
  behaviour(kind, ".submit() takes every form of function by its source", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    function declared(n: number) {
      return n + 1;
    }
    const methods = {
      method(n: number) {
        return n + 1;
      },
      async asyncMethod(n: number) {
        return await n + 1;
      },
      "a name with spaces"(n: number) {
        return n + 1;
      },
      get: (n: number) => n + 1,
      über(n: number) {
        return n + 1;
      },
      class(n: number) {
        return n + 1;
      },
      0x10(n: number) {
        return n + 1;
      },
    };
    class Static {
      static async get(n: number) {
        return await n + 1;
      }
    }
    const forms = [
      declared,
      (n: number) => n + 1,
      function (n: number) {
        return n + 1;
      },
      async (n: number) => await n + 1,
      ...Object.values(methods),
      eval("({ 'quoted'(n) { return n + 1; } })").quoted,
      Static.get,
      eval("n => n + 1 // a comment at the end"),
    ];
    for (const form of forms) assertEquals(await executor.submit(form, 1), 2, String(form));
    const destructuring = ({ a = 1 }: { a?: number }, ...[b = 0, c = 0]: number[]) => a + b + c;
    assertEquals(await executor.submit(destructuring, {}, 2, 3), 6);
  });

  behaviour(kind, ".submit() runs inline tasks in strict mode, without the names of the worker", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    assertEquals(
      await executor.submit(
        function (this: unknown) {
          return typeof this;
        } as () => string,
      ),
      "undefined",
    );
    const names = ["scheduler", "parent", "tasks", "resolveTask", "source", "evaluateGlobally"];
    assertEquals(
      await executor.submit(
        (names: string[]) => names.map((name) => eval(`typeof ${name}`)).filter((t) => t === "function"),
        names,
      ),
      [],
    );
  });

  behaviour(
    kind,
    ".submit() rejects with the name that an inline task closed over [P5, test_submit_closure]",
    async (Executor) => {
      const outer = Math.random(); // Bun would inline a constant
      const error = await failsAlone(Executor, (executor) => executor.submit((n: number) => n + outer, 1));
      assert(error instanceof ReferenceError);
      assertMatch(error.message, /^outer is not defined: .*cannot close over variables/);
    },
  );

  behaviour(kind, ".submit() rejects when an inline task has no meaning by itself [X4]", async (Executor) => {
    class Base {
      get() {
        return 1;
      }
    }
    const derived = {
      __proto__: Base.prototype,
      get() {
        return super.get();
      },
    };
    const error = await failsAlone(Executor, (executor) => executor.submit(derived.get as () => number));
    assert(error instanceof Error);
  });

  behaviour(kind, ".submit() rejects a getter, and what leaves its module, with what to do", async (Executor) => {
    const { get } = Object.getOwnPropertyDescriptor(
      {
        get counted() {
          return 1;
        },
      },
      "counted",
    )!;
    const getter = await failsAlone(Executor, (executor) => executor.submit(get as () => number));
    assertMatch(getter.message, /getter .* wrap it: \(\) => object\.name/);
    const meta = await failsAlone(Executor, (executor) => executor.submit(() => import.meta.url));
    assertMatch(meta.message, /pass what you need of it as an argument, such as import\.meta\.url/);
    const path = "./no_such_file.ts";
    const relative = eval(`async () => await import("${path}")`) as () => Promise<unknown>; // Deno would look for the module when it checks types
    const imported = await failsAlone(Executor, (executor) => executor.submit(relative));
    assertMatch(imported.message, /"\.\/no_such_file\.ts" is not relative to that; pass import\.meta\.resolve/);
  });

  behaviour(
    kind,
    ".submit() throws when the task has no source: bound, native, class, or no function [X3, test_submit_instance_method, test_submit_local_instance]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      // deno-lint-ignore no-explicit-any
      const submit = (fn: any) => () => executor.submit(fn);
      class Local {
        method() {}
      }
      assertError(assertThrows(submit(function () {}.bind(null))), {
        name: "TypeError",
        message: /^Cannot submit a task as .*bound/,
      });
      assertError(assertThrows(submit(Math.max)), {
        name: "TypeError",
        message: /^Cannot submit a task as .*native.*the function max/,
      });
      assertError(assertThrows(submit(Local)), {
        name: "TypeError",
        message: /^Cannot submit a task as a class .*the function Local/,
      });
      for (const bad of [undefined, null, 1, "Math.max", {}, new Local(), Symbol.iterator]) {
        assertError(assertThrows(submit(bad)), {
          name: "TypeError",
          message: /^Cannot submit a task as it must be a function: received/,
        });
      }
      // deno-lint-ignore no-explicit-any
      assertThrows(() => (executor as any).submit(), TypeError);
      assertEquals([executor.stats().queued, executor.stats().workers], [0, 0], "nothing was accepted");
    },
  );

  behaviour(
    kind,
    ".submit() runs the export of a module with that module's scope and state [I1, I4, test_submit_func_globals, test_init_with___main___global]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      setState("of the parent");
      assertEquals(await executor.submit(getState), "as loaded");
      await executor.submit(setState, "of", "the worker");
      assertEquals(await executor.submit(getState), "of the worker");
      assertEquals(getState(), "of the parent", "task() leaves the function callable");
      setState("as loaded");
    },
  );

  behaviour(kind, ".submit() loads a module once in each worker", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const ids = await Promise.all([executor.submit(workerId), executor.submit(workerId)]);
    assertEquals(new Set([...ids, await executor.submit(workerId)]).size, 1);
    assertNotStrictEquals(ids[0], workerId());
  });

  behaviour(kind, ".submit() takes the exports of a taskModule()", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    assertEquals(await executor.submit(plain.reverse, "abc"), "cba");
    assertEquals([await executor.submit(plain.countCalls), await executor.submit(plain.countCalls)], [1, 2]);
    assertError(assertThrows(plain.countCalls as unknown as () => void), {
      name: "TypeError",
      message: /not loaded here/,
    });
  });

  behaviour(
    kind,
    ".submit() rejects when an export is missing or no function, naming module and export [P5]",
    async (Executor) => {
      // deno-lint-ignore no-explicit-any
      const names = plain as any;
      const missingExport = await failsAlone(Executor, (executor) => executor.submit(names.nowhere));
      assert(missingExport instanceof TypeError);
      assertMatch(missingExport.message, /'nowhere'.*plain_module\.ts exports nothing/);
      const noFunction = await failsAlone(Executor, (executor) => executor.submit(names.notCallable));
      assertMatch(noFunction.message, /'notCallable'.*plain_module\.ts exports a number/);
      const notExported = task(import.meta.url, function notExported() {});
      assertMatch(
        (await failsAlone(Executor, (executor) => executor.submit(notExported))).message,
        /'notExported'.*tasks\.ts/,
      );
    },
  );

  behaviour(kind, ".submit() rejects when a module cannot be loaded, naming it and why [P5]", async (Executor) => {
    const throwing = await failsAlone(Executor, (executor) => executor.submit(broken.neverThere));
    assertMatch(throwing.message, /'neverThere'.*broken_module\.ts fails to load: this module fails to load/);
    assertEquals((throwing.cause as Error).message, "this module fails to load");
    assertMatch(
      (await failsAlone(Executor, (executor) => executor.submit(missing.anything))).message,
      /no_such_module\.ts/,
    );
  });

  behaviour(kind, ".submit() rejects again when the same module fails again", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    for (let n = 0; n < 2; n++) {
      assertError(await assertRejects(() => executor.submit(broken.neverThere)), /fails to load/);
    }
  });
}
