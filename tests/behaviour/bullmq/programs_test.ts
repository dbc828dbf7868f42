// Programs that use a cluster: those that submit end when their work is done, and the command of a host says what is wrong.

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { spawn } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { run } from "../../../scripts/run.ts";
import { runtime } from "../../support/runtime.ts";
import { clusterTest } from "../../support/bullmq_cluster.ts";
import { hostCommand } from "../../support/bullmq_host.ts";
import { runProgram } from "../../support/run_program.ts";
import { otherRuntimes } from "../../support/runtime_commands.ts";
import { CEILING, until, within } from "../../support/until.ts";

const SQUARE = new URL("../../fixtures/tasks/arithmetic.ts", import.meta.url).href;

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

/** What ends an executor, how its calls end then, and what is left of them. */
const ENDS = [
  ["shutdown", "BrokenExecutor", "calls that were sent and may run: 2"],
  ["terminateWorkers", "CancelledError", "calls that were not told to stop: 1"],
  ["killWorkers", "CancelledError", "calls that were not told to stop: 1"],
] as const;

for (const [why, signal] of Object.entries({ "there is none": "SIGKILL", "it is silent": "SIGSTOP" })) {
  for (const [how, error, left] of ENDS) {
    clusterTest(`A program ends after ${how}() without Redis, as ${why}, and says what is left`, async (cluster) => {
      const { url, pid } = cluster.server;
      const args = [url, cluster.queue, how, String(pid), signal];
      const { code, stdout, stderr } = await runProgram("bullmq_end_alone", ...args);
      assertEquals([stdout.split("\n").sort(), code], [["", error, error, "ended"].sort(), 0], stderr);
      assertMatch(
        stderr,
        new RegExp(`^\\S+ Executor .*: ended without Redis, which did not answer for 1000 ms; ${left}\n$`),
      );
    });
  }
}

clusterTest("A host that npx has started says that SIGTERM will not reach it, and ends with npx", async (cluster) => {
  const [command, ...first] = hostCommand(runtime);
  const args = [...first, "--queue", cluster.queue, "--url", cluster.server.url, "--tasks", SQUARE, "--workers", "1"];
  // A shell that waits for the host, as npx has one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const npx = spawn("sh", ["-c", '"$@" & wait', "sh", command, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...env, npm_command: "exec" },
  });
  let output = "";
  npx.stderr.setEncoding("utf8").on("data", (text: string) => output += text);
  const hostEnded = new Promise((resolve) => npx.stderr.once("close", resolve));
  await until("the host serves", () => output.includes(" serves queue "));
  assertMatch(output, /^npx does not pass on SIGTERM\. .* run node_modules\/\.bin\/futures-serve itself$/m);
  process.kill(npx.pid!, "SIGTERM");
  await within("the host's end", hostEnded);
  assertMatch(output, /^Host .* closes: npx, which started it, has ended$/m);
  assertEquals((await cluster.executor().cluster()).hosts, []);
});

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
