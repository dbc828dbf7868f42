// The fault matrix: every way in which a worker can fail, at every moment, on both executors. table.ts says what must
// happen, scene.ts brings it about, expect.ts checks it.

import { assert, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { behaviour } from "../behaviour/behaviour.ts";
import { expect } from "./expect.ts";
import { stage } from "./scene.ts";
import { cellOf, EXCEPTIONS, FAULTS, PHASES } from "./table.ts";
import { Gate } from "../support/gate.ts";
import { KINDS } from "../behaviour/kinds.ts";
import { assertNothingIsLeft } from "../support/leaks.ts";

test("The fault matrix has an outcome or a reason in every cell", () => {
  for (const { name, cells } of FAULTS) assertStrictEquals(cells.length, PHASES.length, name);
  const cells = [...FAULTS.flatMap(({ cells }) => cells), ...EXCEPTIONS.map(({ cell }) => cell)];
  for (const cell of cells) assert(typeof cell === "string" || cell.because.length > 0);
});

for (const kind of KINDS) {
  for (const fault of FAULTS) {
    for (const phase of PHASES) {
      const outcome = cellOf(fault, phase, kind);
      if (typeof outcome === "object") continue; // the reason is in the table
      behaviour(kind, ` meets ${fault.name} (${phase}): ${outcome}`, async (Executor) => {
        using deaf = new Gate();
        using neighbour = new Gate();
        using strike = new Gate();
        const gates = { deaf, neighbour, strike };
        await expect(await stage(Executor, fault, phase, outcome, gates), kind, fault, phase, outcome, gates);
      });
    }
  }
  test(`${kind.name} leaves nothing behind after its faults`, assertNothingIsLeft);
}
