// Errors that tasks throw, and how they arrive.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { BrokenExecutor, BrokenProcessPool, BrokenThreadPool, WorkerLostError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { fail } from "../../fixtures/tasks/worker_tasks.ts";

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
        assert.equal(Object.getPrototypeOf(error), type.prototype);
        assert.deepEqual([error.name, error.message, error.code, error.detail], [
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
    assert.equal(await future.result().catch((error) => error), error);
    assert.equal(await future.exception(), error);
  });

  behaviour(kind, ".submit() rejects with the task's stack, and shows it [test_traceback]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const error = await executor.submit(fail, "deep down").exception() as Error;
    assert.match(error.stack!, /worker_tasks\.ts/, "the stack names the line that threw");
    assert.match(inspect(error), /deep down[^]*worker_tasks\.ts/);
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
      assert.ok(
        error instanceof AggregateError && error.cause instanceof RangeError && error.cause.cause instanceof TypeError,
      );
      assert.equal(error.cause.cause.cause, "a text");
      assert.ok(error.errors[0] instanceof TypeError && error.errors[0].message === "root");
      assert.equal(error.errors[1], "no error");
      assert.ok(error.errors[2] instanceof DOMException);
      assert.deepEqual([error.errors[2].name, error.errors[2].message, error.errors[2].code], [
        "NotFoundError",
        "gone",
        8,
      ]);
      assert.ok((error as { other?: unknown }).other instanceof SyntaxError);
    },
  );

  behaviour(kind, ".submit() rejects when an error is its own cause", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      const error = new Error("round");
      error.cause = error;
      throw error;
    }).exception() as Error;
    assert.equal(error.message, "round");
    assert.equal((error.cause as Error).message, "round");
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
        await assert.rejects(async () => await future, (thrown) => {
          assert.deepEqual(thrown, value);
          return true;
        });
        assert.deepEqual(future.outcome, { status: "rejected", reason: value });
      }
      await assert.rejects(executor.submit(() => Promise.reject(0)).result(), (thrown) => thrown === 0);
    },
  );

  behaviour(
    kind,
    ".submit() rejects with a class of errorTypes, without calling its constructor [P7]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1, errorTypes: [HttpError] });
      const error = await executor.submit(throwHttpError, 404).exception() as HttpError;
      assert.ok(error instanceof HttpError);
      assert.deepEqual([error.name, error.message, error.status], ["HttpError", "HTTP 404", 404]);
    },
  );

  behaviour(
    kind,
    ".submit() rejects with Error and the name when the class is unknown [P7, E6, I2]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const error = await executor.submit(throwHttpError, 500).exception() as HttpError;
      assert.equal(Object.getPrototypeOf(error), Error.prototype);
      assert.deepEqual([error.name, error.message, error.status], ["HttpError", "HTTP 500", 500]);
      assert.equal(await executor.submit((n: number) => n, 1), 1, "the executor stays usable");
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
    assert.deepEqual([Object.getPrototypeOf(error), error.message, error.code], [TypeError.prototype, "text", 7]);
    assert.equal(await executor.submit((n: number) => n, 1), 1);
    await assert.rejects(
      executor.submit(() => {
        throw () => 1;
      }).result(),
      { name: "Error", message: /cannot be cloned/ },
    );
  });

  behaviour(kind, " errors form Python's families [E4, test_class_str]", () => {
    assert.ok(BrokenThreadPool.prototype instanceof BrokenExecutor);
    assert.ok(BrokenProcessPool.prototype instanceof BrokenExecutor);
    assert.ok(WorkerLostError.prototype instanceof BrokenExecutor);
    assert.equal(new kind.Broken("text").name, kind.Broken.name);
    assert.equal(kind.Executor.name, kind.name);
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
