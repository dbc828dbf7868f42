// What lasts longer than a call, and what happens to it: longer_table.ts says what must come of it, longer_scene.ts brings it
// about.

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { CancelledError, ShutdownError, type WorkerLostError } from "../../mod.ts";
import { behaviour, type Kind } from "../behaviour/behaviour.ts";
import { KINDS } from "../behaviour/kinds.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { Gate } from "../support/gate.ts";
import { assertNothingIsLeft } from "../support/leaks.ts";
import { reportsOf } from "../support/observe.ts";
import { type Ending, endingOf } from "../support/outcome.ts";
import { until } from "../support/until.ts";
import { endOf, type LongerScene, stageLonger, strikeLonger } from "./longer_scene.ts";
import { LONGER, type Longer, type LongerAct, longerCellOf, type LongerOutcome } from "./longer_table.ts";

/** How those who wait are told, in the words of the oracle; `undefined`: by no error. */
const ENDINGS: Partial<Record<LongerOutcome, Ending>> = {
  lost: "lost",
  ended: "lost",
  stranded: "lost",
  broken: "broken",
  timeout: "timed out",
  aborted: "aborted",
  never: "aborted",
  cancelled: "cancelled",
};

test("The table of what lasts longer has an outcome or a reason in every cell", () => {
  for (const { name, places, rows } of LONGER) {
    for (const cells of Object.values(rows)) assertStrictEquals(cells.length, places.length, name);
  }
});

for (const kind of KINDS) {
  for (const longer of LONGER) {
    for (const act of Object.keys(longer.rows) as LongerAct[]) {
      for (const place of longer.places) {
        const outcome = longerCellOf(longer, act, place, kind);
        if (typeof outcome === "object") continue; // the reason is in the table
        behaviour(kind, ` meets ${act} with ${longer.name} (${place}): ${outcome}`, async (Executor) => {
          using gate = new Gate();
          using keeping = new Gate();
          const reports = await reportsOf(async () => {
            const scene = await stageLonger(Executor, longer, act, place, gate, keeping);
            const isDone = ["result", "left", "stranded", "cancelled", "refused"].includes(outcome);
            strikeLonger(act, scene, gate, isDone && !act.startsWith("SIG"));
            await expectEnd(kind, longer, act, place, outcome, scene, gate, keeping);
          });
          const said = reports.map(([what]) => String(what));
          const malformed = act === "forged" && longer.name !== "finalizer" && outcome !== "broken";
          if (malformed) assertMatch(said.join(), /^[^,]*malformed message/);
          else if (outcome === "reported") {
            assertMatch(said.join(), /^[^,]*A finalizer did not run to its end in longer_\d:$/);
          } else if (act !== "forged") assertEquals(said, []);
        });
      }
    }
  }
  test(`${kind.name} leaves nothing behind after what lasted longer`, assertNothingIsLeft);
}

async function expectEnd(
  kind: Kind,
  { name }: Longer,
  act: LongerAct,
  place: string,
  outcome: LongerOutcome,
  scene: LongerScene,
  gate: Gate,
  keeping: Gate,
): Promise<void> {
  const { executor, controller, stream, before, sibling } = scene;
  // A worker that was killed while it started is replaced, and what waits goes on.
  if (act.startsWith("SIG") && outcome === "result") await gate.noted(2);
  if (act.startsWith("SIG") && ["result", "left", "stranded"].includes(outcome)) gate.open();
  if (outcome === "result" || name === "resize" && act.endsWith("Workers")) keeping.open();

  // Whoever reads a stream that is paused lets it go on.
  if (place === "paused" && ENDINGS[outcome]) {
    await until("its call is done", () => {
      const { completed, failed, cancelled } = executor.stats();
      return completed + failed + cancelled > 0;
    });
  }
  const end = await scene.ended();
  const shown = `${outcome}: ${"error" in end ? String(end.error) : "no error"}`;
  if (outcome === "refused") assert("error" in end && end.error instanceof ShutdownError, shown);
  else if (name === "group" && outcome === "broken") {
    assert("error" in end && end.error instanceof AggregateError, shown);
    for (const error of end.error.errors) assert(error instanceof kind.Broken, String(error));
  } else {
    const ending = "error" in end ? endingOf({ status: "rejected", reason: end.error }, controller.signal) : undefined;
    assertStrictEquals(ending, name === "finalizer" ? undefined : ENDINGS[outcome], shown);
  }
  if (name !== "finalizer" && (outcome === "lost" || outcome === "ended")) {
    const error = (end as { error: WorkerLostError }).error;
    assertStrictEquals(error.started, true);
    assertMatch(error.workerName!, /^longer_\d$/);
  }
  if (outcome === "stranded") assertStrictEquals((end as { error: WorkerLostError }).error.started, false);

  if (stream) {
    assertEquals(await stream.next(), { value: undefined, done: true });
    const all = place === "queued" || place === "initializer" ? [1, 2, 3] : [2, 3];
    if (outcome === "result") assertEquals((end as { value: unknown }).value, all);
    const isAlive = outcome === "result" || act === "cancel" && place !== "queued" && place !== "initializer";
    if (isAlive) assertEquals(gate.notes.at(-1), "finally");
    else if (outcome === "cancelled" || outcome === "never") assert(!gate.notes.includes("finally"));
  }
  if (name === "broadcast" && outcome === "result") assertEquals(end, { value: [5] });
  if (name === "group") {
    const isCut = act === "cancelFutures" || act.endsWith("Workers");
    const { outcome: told } = sibling!;
    if (outcome !== "result") {
      const reason = (told as { reason: Error }).reason;
      // A broken executor and one that ends say so themselves.
      if (outcome === "aborted") assertStrictEquals(reason, controller.signal.reason);
      else if (outcome !== "broken" && !isCut) {
        assert(reason instanceof CancelledError, String(reason));
        assertStrictEquals(reason.cause, (end as { error: unknown }).error);
      }
    } else assertStrictEquals(told!.status, isCut ? "cancelled" : "fulfilled");
  }

  // What is left of the executor works as ever.
  if (name !== "finalizer") gate.open();
  keeping.open();
  const isBroken = place === "initializer" && (act === "exit" || act === "forged");
  const isOver = act === "shutdown" || act === "cancelFutures" || act.endsWith("Workers") || place === "shutdown";
  if (isBroken && name === "broadcast") await assertRejects(() => executor.warmUp(), kind.Broken);
  if (isBroken) assertThrows(() => executor.submit(square, 3), kind.Broken);
  else if (isOver) assertThrows(() => executor.submit(square, 3), ShutdownError);
  else assertEquals(await executor.submit(square, 3), 9);
  const losses = act.startsWith("SIG") || act === "forged" || act === "exit";
  if (losses && !isBroken && name !== "finalizer") assertStrictEquals(executor.stats().lost, 1);
  if (name === "resize") {
    assertStrictEquals(executor.maxWorkers, place === "initializer" ? 2 : 1);
    if (!act.endsWith("Workers")) assertEquals(await endOf(before!), { value: 5 });
  }
  await executor.shutdown();
  if (name === "finalizer") assertStrictEquals(gate.notes.includes("finalized"), outcome === "result");
}
