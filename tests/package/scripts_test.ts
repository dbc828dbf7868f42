// The parts of the project's scripts on which other tests rely: programs that are run to their end, and reports that are read.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { countTests, endedTests, failuresIn, filesWithoutTests } from "../../scripts/junit.ts";
import { describeEnd, mustRun, run } from "../../scripts/run.ts";
import { runtime } from "../support/runtime.ts";
import { runtimeCommand } from "../support/runtime_commands.ts";
import { isAlive } from "../support/leaks.ts";
import { until } from "../support/until.ts";
import { assertError } from "../support/assert_error.ts";

const [command] = runtimeCommand(runtime);

/** The arguments that run a program which is given as text. */
function program(text: string): string[] {
  return runtime === "deno" ? ["eval", text] : ["-e", text];
}

test("what Bun says of a failed test is found between those that passed", () => {
  const output = ["(pass) one [1ms]", "12 | assert(false);", "error: no", "(fail) two [2ms]", "(pass) three [1ms]", ""]
    .concat("1 tests failed:", "(fail) two [2ms]", " 2 pass").join("\n");
  assertEquals(failuresIn(output), "12 | assert(false);\nerror: no\n(fail) two [2ms]");
  assertEquals(failuresIn("(pass) one [1ms]\n\n 1 pass"), "");
});

test("run() says how a program ended and what it printed, on both streams", async () => {
  const { code, signal, timedOut, stdout, stderr, output } = await run(
    command!,
    program("console.log('out'); console.error('err'); process.exitCode = 3"),
  );
  assertEquals([code, signal, timedOut, stdout, stderr], [3, null, false, "out\n", "err\n"]);
  assertEquals(output.split("\n").sort(), ["", "err", "out"]);
});

test("run() tells what a program prints as it comes", async () => {
  const pieces: string[] = [];
  const onOutput = (text: string, stream: string) => pieces.push(`${stream}: ${text}`);
  await run(command!, program("console.log('out')"), { onOutput });
  assertEquals(pieces, ["stdout: out\n"]);
});

test("run() kills a program that takes too long", async () => {
  const result = await run(command!, program("setInterval(() => {}, 1000)"), { timeout: 100 });
  assertEquals([result.code === 0, result.timedOut, describeEnd(result)], [false, true, "did not end in time"]);
  assertMatch(result.output, /Killed as it had not ended after 0\.1 s/);
});

test("run() with group leaves nothing behind that the program has started", async () => {
  if (process.platform === "win32") return;
  const { stdout } = await run(
    command!,
    program(
      `const { spawn } = process.getBuiltinModule("node:child_process");
      const child = spawn("sleep", ["60"], { stdio: "ignore" });
      console.log(child.pid);
      process.exit();`,
    ),
    { group: true },
  );
  await until("the child has ended", () => !isAlive(Number(stdout)));
});

test("run() says of a program that is not there that it cannot be started, and mustRun() throws", async () => {
  const { code, output } = await run("futures-no-such-program", []);
  assertEquals(code, 127);
  assertMatch(output, /futures-no-such-program/);
  assertError(
    await assertRejects(() => mustRun("futures-no-such-program", ["x"])),
    /failed with exit code 127: futures-no-such-program x/,
  );
});

test("countTests() counts the tests of a report", () => {
  const xml = `<testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>
    <testcase name="c"><skipped/></testcase><testcase name="d"></testcase></testsuite>`;
  assertEquals(countTests(xml), { passed: 2, failed: 1, skipped: 1 });
});

test("filesWithoutTests() finds the files in which no test was run", () => {
  const files = ["./tests/a_test.ts", "./tests/b_test.ts"];
  const deno = "running 2 tests from ./tests/a_test.ts\nrunning 0 tests from ./tests/b_test.ts\n";
  assertEquals(filesWithoutTests("deno", files, "<testcase/>", deno), ["tests/b_test.ts"]);
  const bun = `<testsuite name="tests/b_test.ts"><testcase/></testsuite>`;
  assertEquals(filesWithoutTests("bun", files, bun, ""), ["tests/a_test.ts"]);
  const node = `<testcase name="tests/a_test.ts"/><testcase name="adds"/>`;
  assertEquals(filesWithoutTests("node", files, node, ""), ["tests/a_test.ts"]);
});

test("endedTests() counts in the output of each runtime", () => {
  assertEquals(endedTests("a ... ok (1ms)\nb ... FAILED (2ms)\nc ... ignored (0ms)\n"), 3);
  assertEquals(endedTests("(pass) a\n(fail) b\n(skip) c\n"), 3);
  assertEquals(endedTests("✔ a (1ms)\n✖ b (1ms)\n﹣ c\n"), 3);
});
