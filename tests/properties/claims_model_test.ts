// The claims of processes in every order of their reads and writes: no call is both withdrawn and begun, none is lost, and when
// the worker dies, no call that has begun counts as one that has not.

import { assert, assertMatch, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { CALLS_PER_WORKER } from "../../src/wire/claims.ts";
import { explore, type ParentStep, type Plan, type WorkerStep } from "./claims_model.ts";

/** The last call of a lap of the ring is the second one: the others are around its end. */
const AROUND = 2 * CALLS_PER_WORKER - 2;

const PARENTS: Readonly<Record<string, readonly ParentStep[]>> = {
  "withdraws one call": [{ withdraw: [1] }],
  "withdraws one call after another, the youngest first": [{ withdraw: [2] }, { withdraw: [1] }],
  "withdraws one call after another, the oldest first": [{ withdraw: [0] }, { withdraw: [2] }],
  "withdraws a call again": [{ withdraw: [1] }, { withdraw: [1] }],
  "withdraws all calls": [{ withdraw: [2, 1, 0] }],
  "withdraws the rest of the calls": [{ withdraw: [1] }, { withdraw: [2, 1, 0] }],
  "looks at a call and withdraws it": [{ hasBegun: 1 }, { withdraw: [1] }],
  "withdraws a call and looks at another": [{ withdraw: [1] }, { hasBegun: 2 }, { hasBegun: 0 }],
};

const WORKERS: Readonly<Record<string, readonly WorkerStep[]>> = {
  "begins them": ["begin", "begin", "begin"],
  "pauses after each": ["begin", "pause", "begin", "pause", "begin"],
  "is slow at first": ["begin", "slow", "begin", "begin"],
  "is slow in between": ["begin", "begin", "slow", "begin"],
};

/** Batches of one call, two and three. */
const BEFORE = [0, 20, 40];

function* plans(): Generator<readonly [title: string, plan: Plan]> {
  for (const [does, parent] of Object.entries(PARENTS)) {
    for (const [meanwhile, worker] of Object.entries(WORKERS)) {
      for (const before of BEFORE) {
        for (const base of [CALLS_PER_WORKER, AROUND]) {
          const title = `the parent ${does}, the worker ${meanwhile}, after ${before} calls, from call ${base} on`;
          yield [title, { parent, worker, before, base }];
        }
      }
    }
  }
}

for (const [does, steps] of Object.entries(PARENTS)) {
  test(`claims in a page hold in every order of reads and writes while the parent ${does}`, () => {
    let tried = 0, withdrawn = 0, begun = 0, again = 0;
    for (const [title, plan] of plans()) {
      if (plan.parent !== steps) continue;
      const outcomes = explore(plan);
      assert(outcomes.states > 10, `${title}: only ${outcomes.states} states`);
      tried++;
      withdrawn += outcomes.withdrawn;
      begun += outcomes.begun;
      again += outcomes.again;
    }
    assert(withdrawn > 0 && begun > 0 && again > 0, "every outcome is possible");
    assertStrictEquals(tried, Object.keys(WORKERS).length * BEFORE.length * 2);
  });
}

for (const swapped of ["parent", "worker"] as const) {
  test(`the check of the claims finds a ${swapped} that looks before it writes`, () => {
    const wrong = [...plans()].filter(([, plan]) => {
      try {
        explore({ ...plan, swapped });
        return false;
      } catch (error) {
        assertMatch(String(error), /withdrawn and has begun/);
        return true;
      }
    });
    assert(wrong.length > 0);
  });
}
