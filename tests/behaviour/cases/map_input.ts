// The inputs of map(): how far they are read, and what happens when they fail or the executor shuts down.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShutdownError } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { Gate } from "../../support/gate.ts";
import { add, square } from "../../fixtures/tasks/arithmetic.ts";
import { hold, note } from "../../fixtures/tasks/gate_tasks.ts";
import { count, drain, ten } from "./map.ts";
import { assertError } from "../../support/assert_error.ts";

async function* countAsync(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) yield await Promise.resolve(n);
}

export function mapInputCases(kind: Kind): void {
  behaviour(
    kind,
    ".map() reads no more than buffersize items ahead [X7d, test_map_buffersize, test_map_buffersize_on_multiple_iterables]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      for (const buffersize of [1, 2, 10, 20]) {
        assertEquals(await Array.fromAsync(executor.map(square, ten, { buffersize })), ten.map((n) => n * n));
        assertEquals(await Array.fromAsync(executor.map(add, ten, ten, { buffersize })), ten.map((n) => 2 * n));
      }
      let read = 0;
      const items = (function* () {
        for (const n of count()) {
          read++;
          yield n;
        }
      })();
      const iterator = executor.map(square, items, { buffersize: 3 });
      assertEquals(read, 3);
      assertEquals((await iterator.next()).value, 0);
      assertEquals(read, 4);
      await iterator.return();
    },
  );

  behaviour(
    kind,
    ".map() takes endless inputs with a buffersize [X7d, test_map_buffersize_on_infinite_iterable, test_map_buffersize_on_multiple_infinite_iterables]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 2 });
      const sums: number[] = [];
      for await (const sum of executor.map(add, count(), count(1), { buffersize: 4 })) {
        if (sums.push(sum) === 20) break;
      }
      assertEquals(sums, Array.from({ length: 20 }, (_, n) => 2 * n + 1));
    },
  );

  behaviour(
    kind,
    ".map() reads buffersize items and no more while nobody iterates, across shutdown too [test_map_buffersize_when_buffer_is_full]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 2 });
      const items = count();
      executor.map(square, items, { buffersize: 4 });
      await executor.shutdown();
      assertEquals(items.next().value, 4);
    },
  );

  behaviour(
    kind,
    ".map() after shutdown yields what is buffered, then rejects: never a silent cut [X7e]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      const fresh = executor.map(square, ten, { buffersize: 2 });
      const begun = executor.map(square, ten, { buffersize: 2 });
      assertEquals((await begun.next()).value, 0);
      await executor.shutdown();
      for (const [iterator, expected] of [[fresh, [0, 1]], [begun, [1, 4]]] as const) {
        const { values, error } = await drain(iterator);
        assertEquals<unknown>(values, expected);
        assert(error instanceof ShutdownError);
      }
    },
  );

  behaviour(
    kind,
    ".map() throws after shutdown when there is an item, and is empty when there is none [X7f]",
    async (Executor) => {
      const executor = new Executor({ maxWorkers: 1 });
      await executor.shutdown();
      for (const options of [{}, { buffersize: 1 }]) {
        assertThrows(() => executor.map(square, [1], options), ShutdownError);
        assertEquals(await Array.fromAsync(executor.map(square, [], options)), []);
      }
    },
  );

  behaviour(
    kind,
    ".map() throws when reading its input fails, and cancels what it had submitted [X7c]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      const busy = executor.submit(hold, gate.folder, 0);
      await gate.noted();
      const items = function* () {
        yield gate.folder;
        throw new SyntaxError("bad input");
      };
      assertError(assertThrows(() => executor.map(note, items(), [1, 2])), {
        name: "SyntaxError",
        message: "bad input",
      });
      gate.open();
      await busy;
      await executor.submit(square, 1);
      assertEquals(gate.notes, ["0"]);
    },
  );

  behaviour(kind, ".map() takes async iterables, mixed with others", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    assertEquals(await Array.fromAsync(executor.map(square, countAsync(5))), [0, 1, 4, 9, 16]);
    assertEquals(await Array.fromAsync(executor.map(add, countAsync(5), [10, 20], { buffersize: 1 })), [10, 21]);
  });
}
