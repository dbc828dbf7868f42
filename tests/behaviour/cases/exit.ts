// Programs end by themselves when their work is done, with their own exit code.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import type { Kind } from "../behaviour.ts";
import { isAlive } from "../../support/leaks.ts";
import { runProgram, startProgram } from "../../support/run_program.ts";
import { until } from "../../support/until.ts";

export function exitCases(kind: Kind): void {
  const program = async (name: string, ...args: string[]) => {
    const { stdout, stderr, code } = await runProgram(name, kind.name, ...args);
    return { lines: stdout.split("\n").slice(0, -1), stderr, code };
  };

  test(`${kind.name} finishes submitted work before the program ends, without shutdown() [L1, T9, P18, test_interpreter_shutdown, test_del_shutdown]`, async () => {
    const { lines, stderr, code } = await program("no_shutdown");
    assertEquals([lines.sort(), stderr, code], [["printed by the task", "result 9"], "", 0]);
  });

  test(`${kind.name} with nothing to do lets the program end, with its own exit code [L1, L2, X7m]`, async () => {
    assertEquals(await program("idle"), { lines: ["9", "0 0"], stderr: "", code: 7 });
  });

  test(`${kind.name} in an await using block ends the program in order [X9]`, async () => {
    const lines = ["done true", "done true", "done true", "after the block"];
    assertEquals(await program("await_using"), { lines, stderr: "", code: 0 });
  });

  test(`${kind.name}.shutdown({ wait: false }) lets the program end after the work [X8c, test_hang_gh83386]`, async () => {
    const lines = ["falls off its end", "first fulfilled", "second fulfilled"];
    assertEquals(await program("no_wait"), { lines, stderr: "", code: 0 });
  });

  test(`${kind.name}.shutdown({ wait: false, cancelFutures: true }) drops the queue and lets the program end [test_cancel_futures_wait_false]`, async () => {
    const lines = ["second cancelled", "falls off its end", "first fulfilled"];
    assertEquals(await program("no_wait", "cancel"), { lines, stderr: "", code: 0 });
  });

  test(`${kind.name}: a failure that nobody looks at is no unhandled rejection and no exit code [F17, X10]`, async () => {
    const { lines, stderr, code } = await program("failures");
    assertEquals([lines, code], [["goes on"], 0]);
    assertMatch(stderr, /1 call of .* failed and its error was never observed:[^]*RangeError: nobody looks/);
  });

  test(`${kind.name}.submit() throws while the program exits [T10, E5, X2, test_submit_after_interpreter_shutdown]`, async () => {
    for (const args of [[], ["first"]]) {
      const { lines: [line], stderr, code } = await program("submit_at_exit", ...args);
      assertEquals([stderr, code], ["", 0], String(args));
      assertMatch(line!, /^ShutdownError: cannot schedule new futures after /, String(args));
    }
  });

  test(`${kind.name} does not outlive a program that dies of its own error`, async () => {
    const { lines, stderr, code } = await program("throws");
    assertEquals([lines, code], [[], 1]);
    assertMatch(stderr, /of the program itself/);
  });

  for (const state of ["idle", "busy"]) {
    test(`${kind.name}: an ${state} worker ends when the program is killed [P20]`, async () => {
      let worker = 0;
      const { child, ended } = startProgram("to_be_killed", [kind.name, state], (stdout) => worker = Number(stdout));
      await until("the worker is up", () => worker > 0);
      assert(isAlive(worker));
      child.kill("SIGKILL");
      assertEquals((await ended).signal, "SIGKILL");
      await until("the worker has ended", () => !isAlive(worker));
    });
  }
}
