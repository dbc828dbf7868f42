// Neither side keeps arguments, results and items that the program can no longer reach.

import { assert, assertEquals } from "@std/assert";
import type { Future } from "../../../mod.ts";
import { behaviour, type Kind } from "../behaviour.ts";
import { isCollected, needsCollector } from "../../support/garbage.ts";
import { Gate } from "../../support/gate.ts";
import { reportAttempt } from "../../fixtures/tasks/report_tasks.ts";
import { watchArgument } from "../../fixtures/tasks/memory_tasks.ts";

const large = () => ({ large: new Array(1000) });
const keys = (argument: object) => Object.keys(argument);

export function memoryCases(kind: Kind): void {
  if (needsCollector.skip) return;

  behaviour(
    kind,
    ".submit() keeps no argument of a finished call [F15, test_no_stale_references]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const futures: Future<string[]>[] = [];
      const submitOne = async () => {
        const argument = large();
        const future = executor.submit(keys, argument);
        futures.push(future);
        await future;
        return new WeakRef(argument);
      };
      assert(await isCollected(submitOne));
      assertEquals(await futures[0], ["large"]);
    },
  );

  behaviour(kind, ".submit() keeps no argument of a cancelled call [F15]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const futures: Future<string[]>[] = [];
    const cancelOne = () => {
      const argument = large();
      const future = executor.submit(keys, argument);
      futures.push(future);
      future.cancel();
      return new WeakRef(argument);
    };
    assert(await isCollected(cancelOne));
    assert(futures.every((future) => future.cancelled()));
  });

  behaviour(kind, " keeps no result that the program cannot reach [F15]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const make = () => ({ large: new Array(1000) });
    assert(await isCollected(async () => new WeakRef(await executor.submit(make))));
  });

  behaviour(
    kind,
    " has workers that keep no argument and no result [T8, test_ressources_gced_in_workers]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      using gate = new Gate();
      await executor.submit(watchArgument, gate.folder, large());
      await gate.noted(2); // no other call has run in between
      assertEquals(gate.notes, ["argument dropped", "result dropped"]);
    },
  );

  behaviour(kind, ".with({ onReport }) keeps no report, no Future of map() and no listener", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    for (const what of ["value", "future", "listener"] as const) {
      for (const how of ["submit", "map"] as const) {
        const listened = async () => {
          let ref: WeakRef<object> | undefined;
          const listener = (value: string | object, future: object) => {
            if (typeof value === "object") ref = new WeakRef({ value, future, listener }[what]);
          };
          const view = executor.with({ onReport: listener });
          if (how === "submit") await view.submit(reportAttempt, 1);
          else for await (const n of view.map(reportAttempt, [1])) assertEquals(n, 1);
          return ref!;
        };
        assert(await isCollected(listened), `${what} of ${how}()`);
      }
    }
  });

  behaviour(kind, ".map() keeps no item that it has yielded [test_free_reference, A5]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    await using iterator = executor.map((n: number) => ({ n }), Array(100).keys());
    assert(await isCollected(async () => new WeakRef((await iterator.next()).value!)));
    assertEquals((await iterator.next()).done, false);
  });
}
