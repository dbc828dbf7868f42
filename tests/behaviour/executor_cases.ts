// All behaviours of an executor. Each is written once, and the test file of each executor runs them all.

import { test } from "node:test";
import { broadcastCases } from "./cases/broadcast.ts";
import { cancelCases } from "./cases/cancel.ts";
import { errorCases } from "./cases/errors.ts";
import { exitCases } from "./cases/exit.ts";
import { finalizerCases } from "./cases/finalizer.ts";
import { forceCases } from "./cases/force.ts";
import { groupCases } from "./cases/groups.ts";
import { handedAheadCases } from "./cases/handed_ahead.ts";
import { initializerCases } from "./cases/initializer.ts";
import { lossCases } from "./cases/loss.ts";
import { mapCases } from "./cases/map.ts";
import { mapInputCases } from "./cases/map_input.ts";
import { memoryCases } from "./cases/memory.ts";
import { optionCases } from "./cases/options.ts";
import { reportCases } from "./cases/reports.ts";
import { resizeCases } from "./cases/resize.ts";
import { retirementCases } from "./cases/retirement.ts";
import { shutdownCases } from "./cases/shutdown.ts";
import { submitCases } from "./cases/submit.ts";
import { taskCases } from "./cases/tasks.ts";
import { valueCases } from "./cases/values.ts";
import { warmUpCases } from "./cases/warm_up.ts";
import { workerCases } from "./cases/workers.ts";
import { workerIndexCases } from "./cases/worker_index.ts";
import type { Kind } from "./behaviour.ts";
import { assertNothingIsLeft } from "../support/leaks.ts";

/** Registers the tests of a kind of executor. `ownCases` registers those that only make sense for it. */
export function executorCases(kind: Kind, ownCases: (kind: Kind) => void): void {
  submitCases(kind);
  taskCases(kind);
  valueCases(kind);
  errorCases(kind);
  cancelCases(kind);
  handedAheadCases(kind);
  mapCases(kind);
  mapInputCases(kind);
  groupCases(kind);
  workerCases(kind);
  workerIndexCases(kind);
  warmUpCases(kind);
  resizeCases(kind);
  broadcastCases(kind);
  initializerCases(kind);
  reportCases(kind);
  finalizerCases(kind);
  retirementCases(kind);
  lossCases(kind);
  shutdownCases(kind);
  forceCases(kind);
  optionCases(kind);
  memoryCases(kind);
  exitCases(kind);
  ownCases(kind);
  test(`${kind.name} leaves no worker behind`, assertNothingIsLeft);
}
