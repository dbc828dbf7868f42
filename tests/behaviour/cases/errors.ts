// Errors that tasks throw, and how they arrive.

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import node from "node:assert/strict";
import { inspect } from "node:util";
import { BrokenExecutor, BrokenProcessPool, BrokenThreadPool, WorkerLostError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { fail } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

class HttpError extends Error {
  readonly status: number;
  constructor(response: { status: number }) { // nobody can guess its arguments
    super(`HTTP ${response.status}`);
    this.name = "HttpError";
    this.status = response.status;
  }
}

export function errorCases(kind: Kind): void {
  behaviour(
    kind,
    ".submit() rejects with the class, name, message and properties that the task's error has [P6, test_traceback, test_submit_exception_in_func]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
        const error = await executor.submit((name: string) => {
          // deno-lint-ignore no-explicit-any
          throw Object.assign(new (globalThis as any)[name]("text"), { code: "E1", detail: new Map([[1, 2]]) });
        }, type.name).exception() as Error & Record<string, unknown>;
        assertStrictEquals(Object.getPrototypeOf(error), type.prototype);
        node.deepEqual([error.name, error.message, error.code, error.detail], [
          type.name,
          "text",
          "E1",
          new Map([[1, 2]]),
        ]);
      }
    },
  );

  behaviour(kind, ".submit() rejects with the same object each time it is asked", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const future = executor.submit(fail, "once");
    const error = await future.exception();
    assertStrictEquals(await future.result().catch((error) => error), error);
    assertStrictEquals(await future.exception(), error);
  });

  behaviour(kind, ".submit() rejects with the task's stack, and shows it [test_traceback]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const error = await executor.submit(fail, "deep down").exception() as Error;
    assertMatch(error.stack!, /worker_tasks\.ts/, "the stack names the line that threw");
    assertMatch(inspect(error), /deep down[^]*worker_tasks\.ts/);
  });

  behaviour(
    kind,
    ".submit() rejects with causes, nested errors and aggregates, however deep [P6]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const error = await executor.submit(() => {
        const root = new TypeError("root", { cause: "a text" });
        const middle = new RangeError("middle", { cause: root });
        const all = new AggregateError([root, "no error", new DOMException("gone", "NotFoundError")], "all", {
          cause: middle,
        });
        throw Object.assign(all, { other: new SyntaxError("other") });
        // deno-lint-ignore no-explicit-any
      }).exception() as any;
      assert(
        error instanceof AggregateError && error.cause instanceof RangeError && error.cause.cause instanceof TypeError,
      );
      assertEquals(error.cause.cause.cause, "a text");
      assert(error.errors[0] instanceof TypeError && error.errors[0].message === "root");
      assertEquals(error.errors[1], "no error");
      assert(error.errors[2] instanceof DOMException);
      node.deepEqual([error.errors[2].name, error.errors[2].message, error.errors[2].code], [
        "NotFoundError",
        "gone",
        8,
      ]);
      assert((error as { other?: unknown }).other instanceof SyntaxError);
    },
  );

  behaviour(kind, ".submit() rejects when an error is its own cause", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      const error = new Error("round");
      error.cause = error;
      throw error;
    }).exception() as Error;
    assertEquals(error.message, "round");
    assertEquals((error.cause as Error).message, "round");
  });

  behaviour(
    kind,
    ".submit() rejects with any thrown value, unchanged [test_swallows_falsey_exceptions, T7]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const values = [undefined, null, 0, "", false, NaN, -0, "text", 5n, [1], { code: 1 }];
      for (const value of values) {
        const future = executor.submit((value: unknown) => {
          throw value;
        }, value);
        assertError(await assertRejects(async () => await future), (thrown) => {
          node.deepEqual(thrown, value);
          return true;
        });
        node.deepEqual(future.outcome, { status: "rejected", reason: value });
      }
      assertError(
        await assertRejects(() => executor.submit(() => Promise.reject(0)).result()),
        (thrown) => thrown === 0,
      );
    },
  );

  behaviour(
    kind,
    ".submit() rejects with a class of errorTypes, without calling its constructor [P7]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, errorTypes: [HttpError] });
      const error = await executor.submit(throwHttpError, 404).exception() as HttpError;
      assert(error instanceof HttpError);
      node.deepEqual([error.name, error.message, error.status], ["HttpError", "HTTP 404", 404]);
    },
  );

  behaviour(
    kind,
    ".submit() rejects with Error and the name when the class is unknown [P7, E6, I2]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const error = await executor.submit(throwHttpError, 500).exception() as HttpError;
      assertStrictEquals(Object.getPrototypeOf(error), Error.prototype);
      node.deepEqual([error.name, error.message, error.status], ["HttpError", "HTTP 500", 500]);
      assertEquals(await executor.submit((n: number) => n, 1), 1, "the executor stays usable");
    },
  );

  behaviour(kind, ".submit() rejects with what can be cloned of an error that cannot [P7]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      const broken = {
        get trap() {
          throw new Error("trapped");
        },
      };
      throw Object.assign(new TypeError("text"), { retry: () => 1, id: Symbol("s"), broken, code: 7 });
      // deno-lint-ignore no-explicit-any
    }).exception() as any;
    node.deepEqual([Object.getPrototypeOf(error), error.message, error.code], [TypeError.prototype, "text", 7]);
    assertEquals(await executor.submit((n: number) => n, 1), 1);
    assertError(
      await assertRejects(() =>
        executor.submit(() => {
          throw () => 1;
        }).result()
      ),
      { name: "Error", message: /cannot be cloned/ },
    );
  });

  behaviour(kind, " errors form Python's families [E4, test_class_str]", () => {
    assert(BrokenThreadPool.prototype instanceof BrokenExecutor);
    assert(BrokenProcessPool.prototype instanceof BrokenExecutor);
    assert(WorkerLostError.prototype instanceof BrokenExecutor);
    assertStrictEquals(new kind.Broken("text").name, kind.Broken.name);
    assertStrictEquals(kind.Executor.name, kind.name);
  });
}

/** Self-contained, so that the worker has a class of its own with the same name. */
function throwHttpError(status: number): never {
  class HttpError extends Error {
    readonly status: number;
    constructor(response: { status: number }) {
      super(`HTTP ${response.status}`);
      this.name = "HttpError";
      this.status = response.status;
    }
  }
  throw new HttpError({ status });
}
