// Programs that use a cluster: those that submit end when their work is done, and the command of a host says what is wrong.

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { run } from "../../../scripts/run.ts";
import { runtime } from "../../support/runtime.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { hostCommand } from "../../support/bullmq_host.ts";
import { runProgram } from "../../support/run_program.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { CEILING } from "../../support/until.ts";

clusterTest(
  "BullMQExecutor lets its program end when its work is done, with or without shutdown()",
  async (cluster) => {
    for (const how of ["falls off its end", "await using"]) {
      const { code, stdout, stderr } = await runProgram("bullmq_end", cluster.server.url, cluster.queue, how);
      assertEquals([stdout, stderr, code], ["result 9\n", "", 0], how);
    }
  },
  { hosts: [{ runtime: otherRuntimes[0]! }] },
);

test("The command of a host says what it takes, and what is wrong", async () => {
  const [command, ...first] = hostCommand(runtime);
  const cases: [args: string[], code: number, output: RegExp][] = [
    [["--help"], 0, /--queue <name>/],
    [[], 2, /--queue and --tasks are needed/],
    [["--queue", "q", "--tasks", "./a.ts", "--workers", "many"], 2, /--workers must be a number: received many/],
    [["--loud"], 2, /--loud/],
  ];
  for (const [args, expected, output] of cases) {
    const result = await run(command, [...first, ...args], { timeout: CEILING });
    assertMatch(result.output, output);
    assertStrictEquals(result.code, expected, args.join(" "));
  }
});
