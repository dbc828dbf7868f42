// Checks a cell at its end: the call that the fault hits, its neighbours, and the executor.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { CancelledError, ShutdownError, WorkerLostError } from "../../mod.ts";
import type { Kind } from "../behaviour/behaviour.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { type Ending, endingOf } from "../support/outcome.ts";
import { until } from "../support/until.ts";
import { expectedExit } from "./expected_exit.ts";
import { ATTEMPTS, type Gates, type Scene } from "./scene.ts";
import { REPORTS } from "./strike.ts";
import type { Fault, Outcome, Phase } from "./table.ts";
import { errorOf } from "../support/futures.ts";

/** How the victim ends, in the words of the oracle. */
const ENDINGS: Readonly<Record<Outcome, Ending>> = {
  lost: "lost",
  unknown: "lost",
  ended: "lost",
  gone: "fulfilled",
  result: "fulfilled",
  broken: "broken",
  breaks: "broken",
  error: "failed",
  clone: "uncloneable",
  timeout: "timed out",
  aborted: "aborted",
  never: "aborted",
  cancelled: "cancelled",
};

/** Fails unless the victim, its neighbours and the executor end as the outcome says. */
export async function expect(
  scene: Scene,
  kind: Kind,
  fault: Fault,
  phase: Phase,
  outcome: Outcome,
  gates: Gates,
): Promise<void> {
  const { executor, victim, neighbour, queued } = scene;
  const isBroken = outcome === "broken" || outcome === "breaks";
  const isOver = fault.end?.endsWith("Workers") ?? false;

  await expectOfVictim();
  // What was on its way when a worker is killed may be lost, but only from the end.
  assertEquals(scene.heard, scene.heard.map((_, n) => n), "its reports come in order, and none too late");
  if (outcome === "error" || outcome === "clone") {
    assertStrictEquals(scene.heard.length, phase === "reports" ? REPORTS : 0);
  }

  // Otherwise its worker, which is being ended, could still be quick enough to return.
  if (!isOver) gates.neighbour.open();
  if (isOver) {
    if (neighbour) assert(await errorOf(neighbour) instanceof WorkerLostError);
    for (const future of queued) assert(await errorOf(future) instanceof CancelledError);
  } else if (isBroken) {
    const errors = await Promise.all([victim, ...queued].map(errorOf));
    for (const error of errors) assert(error instanceof kind.Broken, String(error));
    assertStrictEquals(new Set(errors).size, errors.length, "each has an error of its own");
  } else if (outcome === "never" && !neighbour) {
    executor.killWorkers(); // its only worker is still deaf
  } else {
    assertEquals(await neighbour, 1);
    assertEquals(await Promise.all(queued), [4, 9, 16]);
  }

  if (isBroken) assertThrows(() => executor.submit(square, 5), kind.Broken);
  else if (isOver || phase === "shutdown" || !neighbour) assertThrows(() => executor.submit(square, 5), ShutdownError);
  else assertEquals(await executor.submit(square, 5), 25);

  const isLost = !isOver && (outcome === "lost" || outcome === "unknown" || outcome === "gone");
  assertStrictEquals(executor.stats().lost, isLost ? 1 : outcome === "broken" ? ATTEMPTS : 0, "workers that were lost");
  if (outcome === "never") executor.killWorkers();
  gates.deaf.open();
  await executor.shutdown();

  async function expectOfVictim(): Promise<void> {
    const value = await victim.result().catch(() => undefined);
    const ended = victim.outcome!;
    const reason = ended.status === "fulfilled" ? undefined : ended.reason;
    const shown = `${outcome}: ${String(reason)}`;
    assertStrictEquals(endingOf(ended, scene.signal), ENDINGS[outcome], shown);
    switch (outcome) {
      case "result":
        return assertEquals(value, "result");
      case "gone":
        assertEquals(value, "returned");
        return until("the worker is lost", () => executor.stats().lost === 1);
      case "lost":
      case "unknown":
      case "ended": {
        const error = reason as WorkerLostError;
        // A call that may have begun has begun when its worker said so.
        assert(error.started === true || (outcome === "unknown" && error.started === "unknown"), shown);
        assertMatch(error.workerName ?? "none", /^faults_\d$/);
        return assertEquals({ exitCode: error.exitCode, signal: error.signal }, expectedExit(fault, kind));
      }
      case "broken":
      case "breaks":
        assert(reason instanceof kind.Broken, shown);
        return assert(reason.cause instanceof Error, shown);
      case "error":
        return assertMatch(shown, /struck|process\.abort/);
      case "aborted":
      case "never":
        return assertEquals(victim.cancelled(), true, shown);
    }
  }
}
