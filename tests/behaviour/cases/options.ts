// Every wrong option or argument is an error at the call, with a message of the same grammar.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { availableParallelism } from "node:os";
import { asCompleted, wait } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { square } from "../../fixtures/tasks/arithmetic.ts";
import { hold } from "../../fixtures/tasks/gate_tasks.ts";
import { setState } from "../../fixtures/tasks/worker_tasks.ts";
import { assertError } from "../../support/assert_error.ts";

// Values that a type checker refuses are tried, too.
// deno-lint-ignore no-explicit-any
type Anything = any;

/** `[option, value, class of the error, the value as the message shows it]`. */
type Wrong = readonly (readonly [string, Anything, "TypeError" | "RangeError", string])[];

const counts = (option: string): Wrong => [
  [option, 0, "RangeError", "0"],
  [option, -1, "RangeError", "-1"],
  [option, NaN, "RangeError", "NaN"],
  [option, Infinity, "RangeError", "Infinity"],
  [option, 1.5, "RangeError", "1.5"],
  [option, "2", "TypeError", '"2"'],
  [option, 2n, "TypeError", "2n"],
  [option, null, "TypeError", "null"],
];

const WRONG_OPTIONS: Wrong = [
  ...counts("maxWorkers"),
  ...counts("maxTasksPerWorker"),
  ["idleTimeout", -1, "RangeError", "-1"],
  ["idleTimeout", NaN, "RangeError", "NaN"],
  ["idleTimeout", "1", "TypeError", '"1"'],
  ["name", 1, "TypeError", "1"],
  ["name", null, "TypeError", "null"],
  ["initializer", 1, "TypeError", "1"],
  ["initargs", "args", "TypeError", '"args"'],
  ["initargs", {}, "TypeError", "an object"],
  ["errorTypes", Error, "TypeError", "the function Error"],
  ["errorTypes", [Date], "TypeError", "the function Date"],
  ["errorTypes", ["HttpError"], "TypeError", '"HttpError"'],
];

const WRONG_MAP_OPTIONS: Wrong = [
  ...counts("chunksize"),
  ["buffersize", 0, "RangeError", "0"],
  ["buffersize", -1, "RangeError", "-1"],
  ["buffersize", 2.5, "TypeError", "2.5"],
  ["buffersize", NaN, "TypeError", "NaN"],
  ["buffersize", "foo", "TypeError", '"foo"'],
  ["buffersize", 2n, "TypeError", "2n"],
  ["timeout", "1", "TypeError", '"1"'],
  ["timeout", NaN, "RangeError", "NaN"],
  ["ordered", "no", "TypeError", '"no"'],
  ["settled", 1, "TypeError", "1"],
  ["signal", {}, "TypeError", "an object"],
];

export function optionCases(kind: Kind): void {
  /** Asserts that a message is: Cannot <action> as ... '<option>' ...: received <value> */
  const refused = (action: string, option: string, type: string, received: string) => (error: unknown) => {
    assert(error instanceof Error);
    assertStrictEquals(error.name, type, error.message);
    assert(error.message.startsWith(`Cannot ${action} `), error.message);
    assert(error.message.includes(`'${option}'`), error.message);
    assert(error.message.includes(`: received ${received}`), error.message);
    return true;
  };

  behaviour(kind, " refuses wrong options when it is made [T1, T2, P1, P2, test_max_workers_negative]", (Executor) => {
    for (const [option, value, type, received] of WRONG_OPTIONS) {
      const make = () => new Executor({ [option]: value } as Anything);
      assertError(
        assertThrows(make, `${option}: ${String(value)}`),
        refused(`create ${kind.name}`, option, type, received),
      );
    }
    for (const bad of [null, 4, "4"] as Anything[]) {
      assertError(assertThrows(() => new Executor(bad)), {
        name: "TypeError",
        message: /^Cannot create .*options.* must be an object: received/,
      });
    }
  });

  behaviour(kind, " takes undefined for every option, as if it were not there", async (Executor) => {
    const names = ["maxWorkers", "name", "initializer", "initargs", "maxTasksPerWorker", "idleTimeout", "errorTypes"];
    const options = Object.fromEntries(names.map((name) => [name, undefined]));
    await using executor = new Executor(options as Anything);
    assertEquals(await executor.submit(square, 2), 4);
    await using patient = new Executor({ maxWorkers: 1, idleTimeout: Infinity, initializer: setState, initargs: [] });
    assertEquals(await patient.submit(square, 2), 4);
  });

  behaviour(
    kind,
    " has as many workers as the machine can run by default [T1, P1, test_default_workers]",
    async (Executor) => {
      await using executor = new Executor();
      using gate = new Gate();
      const expected = availableParallelism();
      const futures = Array.from({ length: expected + 1 }, (_, n) => executor.submit(hold, gate.folder, n));
      await gate.noted(expected);
      assertStrictEquals(executor.stats().workers, expected);
      gate.open();
      await Promise.all(futures);
    },
  );

  behaviour(
    kind,
    ".map() refuses wrong options at the call [X7a, test_map_buffersize_type_validation, test_map_buffersize_value_validation, test_map_chunksize]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      for (const [option, value, type, received] of WRONG_MAP_OPTIONS) {
        const map = () => executor.map(square, [1], { [option]: value } as Anything);
        assertError(assertThrows(map, `${option}: ${String(value)}`), refused("map a task", option, type, received));
      }
      assertEquals(executor.stats().workers, 0, "nothing was accepted");
    },
  );

  behaviour(kind, ".map() refuses what is no task, and inputs that are not iterable [X7a]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const map = executor.map.bind(executor) as Anything;
    for (const bad of [1, null, Symbol.iterator, () => [1]]) {
      assertError(assertThrows(() => map(square, bad, [1])), {
        name: "TypeError",
        message: /^Cannot map a task as .*iterable.*: received/,
      });
    }
    assertThrows(() => map(square, { a: 1 }, [1]), TypeError);
    for (const bad of [undefined, "square", Math.max, class {}]) {
      assertError(assertThrows(() => map(bad, [1])), { name: "TypeError", message: /^Cannot map a task as / });
    }
    assertEquals(executor.stats().workers, 0);
  });

  behaviour(kind, " refuses options that there are not, and says which was meant", async (Executor) => {
    const unknown = (action: string, name: string, meant: string) => ({
      name: "TypeError",
      message: `Cannot ${action} as there is no option '${name}': did you mean '${meant}'?`,
    });
    assertError(
      assertThrows(() => new Executor({ max_queue: 4 } as Anything)),
      unknown(`create ${kind.name}`, "max_queue", "maxQueue"),
    );
    await using executor = new Executor({ maxWorkers: 1 });
    const withOptions = executor.with.bind(executor) as Anything;
    assertError(
      assertThrows(() => withOptions({ timeOut: 1 })),
      unknown("apply options to calls", "timeOut", "timeout"),
    );
    assertError(
      assertThrows(() => (executor.with({}).with as Anything)({ retrys: 1 })),
      unknown("apply options to calls", "retrys", "retries"),
    );
    const map = executor.map.bind(executor) as Anything;
    assertError(
      assertThrows(() => map(square, [1], { chunkSize: 2 })),
      unknown("map a task", "chunkSize", "chunksize"),
    );
    const shutdown = executor.shutdown.bind(executor) as Anything;
    assertError(
      assertThrows(() => shutdown({ cancel_futures: true })),
      unknown("shut down", "cancel_futures", "cancelFutures"),
    );
    const future = executor.submit(square, 2) as Anything;
    assertError(assertThrows(() => future.result({ time: 1 })), unknown("wait for a result", "time", "timeout"));
    assertError(
      assertThrows(() => wait([future], { return_when: 1 } as Anything)),
      unknown("wait for futures", "return_when", "returnWhen"),
    );
    assertError(
      assertThrows(() => asCompleted([future], { signals: 1 } as Anything)),
      unknown("iterate over futures", "signals", "signal"),
    );
    assertEquals(await future, 4);
  });

  behaviour(kind, ".shutdown() refuses wrong options and goes on working [X8]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const shutdown = executor.shutdown.bind(executor) as Anything;
    assertError(assertThrows(() => shutdown({ wait: "no" })), refused("shut down", "wait", "TypeError", '"no"'));
    assertError(
      assertThrows(() => shutdown({ cancelFutures: 1 })),
      refused("shut down", "cancelFutures", "TypeError", "1"),
    );
    for (const bad of [null, true, 1]) {
      assertError(assertThrows(() => shutdown(bad)), { name: "TypeError", message: /^Cannot shut down as / });
    }
    assertEquals(await executor.submit(square, 2), 4);
  });
}
