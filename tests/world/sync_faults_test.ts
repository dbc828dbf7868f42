// What happens to a call while the program blocks for it: tests/faults/table.ts says what must come of it (WAITS). Meanwhile,
// done callbacks are the only code of the program that runs, so one of another executor does what is to be done.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import process from "node:process";
import { type Executor, type Future, ShutdownError, TimeoutError, WorkerLostError } from "../../mod.ts";
import { resultSync } from "../../src/sync/mod.ts";
import { behaviour, type Kind } from "../behaviour/behaviour.ts";
import { KINDS } from "../behaviour/kinds.ts";
import { type Act, type Cell, type Outcome, WAITED, WAITS } from "../faults/table.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { meet, untilNoted } from "../fixtures/tasks/sync_tasks.ts";
import { Gate } from "../support/gate.ts";
import { type Ending, endingOf } from "../support/outcome.ts";

const ENDINGS: Partial<Record<Outcome, Ending>> = {
  lost: "lost",
  ended: "lost",
  broken: "broken",
  result: "fulfilled",
  timeout: "timed out",
  aborted: "aborted",
  never: "aborted",
  cancelled: "cancelled",
};

/** Why a cell is impossible with this kind; its outcome otherwise. */
function cellOf(act: Act, cell: Cell, kind: Kind): Cell {
  if (!kind.sharesMemory) return cell;
  return act.startsWith("SIG") ? { because: "A thread cannot be killed from outside" } : cell;
}

/** Does what has to be done in the program, in a done callback, and lets go on what shall. */
function perform(
  act: Act,
  executor: Executor,
  victim: Future<unknown>,
  controller: AbortController,
  pid: number,
): void {
  if (act === "SIGKILL" || act === "SIGTERM") process.kill(pid, act);
  else if (act === "cancel") victim.cancel();
  else if (act === "signal") controller.abort(new Error("the signal's reason"));
  else if (act === "shutdown") void executor.shutdown();
  else if (act === "cancelFutures") void executor.shutdown({ cancelFutures: true });
  else if (act === "terminateWorkers" || act === "killWorkers") executor[act]();
}

for (const kind of KINDS) {
  for (const { act, cells } of WAITS) {
    for (const [i, place] of WAITED.entries()) {
      const outcome = cellOf(act, cells[i]!, kind);
      if (typeof outcome === "object") continue; // the reason is in the table
      behaviour(kind, ` meets ${act} while the program blocks for a call (${place}): ${outcome}`, async (Executor) => {
        await using other = new Executor({ maxWorkers: 1 });
        using gate = new Gate();
        const { folder } = gate, controller = new AbortController(), inOneGo = place === "sync";
        const how = act === "exit" || act === "forged" ? act : "hold";
        await using executor = new Executor({
          maxWorkers: 1,
          ...(place === "initializer" && { initializer: meet, initargs: [folder, how, inOneGo] }),
        });
        const limited = act === "timeout"
          ? executor.with({ timeout: 50 })
          : act === "signal"
          ? executor.with({ signal: controller.signal, grace: 10 })
          : executor;
        const first = place === "queued" ? executor.submit(meet, folder, how, inOneGo) : undefined;
        const victim = place === "queued" || place === "initializer"
          ? limited.submit((n: number) => n, 5)
          : limited.submit(meet, folder, how, inOneGo);
        const letGo = outcome === "result" || place === "queued" || place === "initializer";
        const byItself = ["exit", "forged", "timeout", "wait"].includes(act);
        if (!byItself) {
          other.submit(untilNoted, folder).addDoneCallback((noted) => {
            const { value: pid } = noted.outcome as { value: number };
            perform(act, executor, victim, controller, pid);
            if (letGo) gate.open();
          });
        }
        if (act === "wait") {
          assertThrows(() => resultSync(victim, 100), TimeoutError);
          gate.open();
        }

        const ending = endOf(() => resultSync(victim));
        assertStrictEquals(endingOf(victim.outcome!, controller.signal), ENDINGS[outcome], `${outcome}: ${ending}`);
        if (outcome === "result") assertStrictEquals(ending, 5);
        if (outcome === "lost" || outcome === "ended") {
          assertStrictEquals((ending as WorkerLostError).started, true);
          assertMatch((ending as WorkerLostError).workerName!, /_0$/);
        }

        // What is left of the executor works as ever, without the event loop.
        gate.open();
        const isOver = act === "shutdown" || act === "cancelFutures" || act.endsWith("Workers");
        if (outcome === "broken") assertThrows(() => executor.submit(square, 3), kind.Broken);
        else if (isOver) assertThrows(() => executor.submit(square, 3), ShutdownError);
        else assertEquals(resultSync(executor.submit(square, 3)), 9);
        if (first) await first.result().catch((error) => assert(error instanceof WorkerLostError, String(error)));
        if (act === "SIGKILL" || act === "SIGTERM" || act === "forged") assertStrictEquals(executor.stats().lost, 1);
      });
    }
  }
}

/** Runs what returns or throws; returns which. */
function endOf(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    return error;
  }
}
