// The programs examples/01_threads.ts and so on print what they say that they print.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../scripts/run.ts";
import { runtime } from "../support/runtime.ts";
import { runtimeCommand } from "../support/runtime_commands.ts";
import { CEILING } from "../support/until.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const programs = readdirSync(EXAMPLES).filter((file) => /^\d\d_\w+\.ts$/.test(file)).sort();
/** Programs of up to forty lines, by their names. */
const longer = ["crawler.ts"];
const [command, ...flags] = runtimeCommand(runtime);

test("the examples are numbered without a gap, and each has ten lines of code at most", () => {
  assertEquals(programs.map((file) => Number(file.slice(0, 2))), programs.map((_, i) => i + 1));
  for (const file of programs) {
    const lines = readFileSync(new URL(file, EXAMPLES), "utf8").split("\n");
    assertMatch(lines[0]!, /^\/\/ .*\.$/, `${file} begins with what it shows`);
    const code = lines.filter((line) => line.trim() !== "" && !line.startsWith("//"));
    assert(code.length <= 10, `${file} has ${code.length} lines`);
  }
});

test("the longer examples have forty lines of code at most", () => {
  for (const file of longer) {
    const lines = readFileSync(new URL(file, EXAMPLES), "utf8").split("\n");
    assertMatch(lines[0]!, /^\/\/ .*\.$/, `${file} begins with what it shows`);
    const code = lines.filter((line) => line.trim() !== "" && !line.startsWith("//"));
    assert(code.length <= 40, `${file} has ${code.length} lines`);
  }
});

for (const file of [...programs, ...longer]) {
  test(`examples/${file} prints what it says`, async () => {
    const text = readFileSync(new URL(file, EXAMPLES), "utf8");
    // Behind a console.log(), or on lines of its own after the last statement.
    const promised = [...text.matchAll(/console\.log\(.*\);(?: \/\/ (.*)|((?:\n\/\/ .*)+))$/gm)]
      .flatMap(([, behind, below]) => behind ?? below!.split("\n// ").slice(1));
    assert(promised.length > 0);
    const { code, stdout, stderr } = await run(
      command!,
      [...flags, fileURLToPath(new URL(file, EXAMPLES))],
      { timeout: CEILING },
    );
    assertEquals([stdout, stderr, code], [promised.map((line) => `${line}\n`).join(""), "", 0]);
  });
}

test("examples/converter/main.ts has 40 lines at most, and its bars are full in the end", async () => {
  const program = new URL("converter/main.ts", EXAMPLES);
  const lines = readFileSync(program, "utf8").trimEnd().split("\n").length;
  assert(lines <= 40, `${lines} lines`);
  const { code, stdout, stderr } = await run(command!, [...flags, fileURLToPath(program)], { timeout: CEILING });
  const bars = ["poem.txt  ", "novel.txt ", "note.txt  "].map((name) => `${name} ${"█".repeat(20)}\n`).join("");
  assertEquals([stdout, stderr, code], [`${bars}32205 characters\n`, "", 0]);
});

test("examples/lint has 40 lines at most, and prints what it finds", async () => {
  const main = new URL("lint/main.ts", EXAMPLES);
  assert(readFileSync(main, "utf8").split("\n").length <= 41);
  const { code, stdout, stderr } = await run(command!, [...flags, fileURLToPath(main)], { timeout: CEILING });
  const expected = [
    "line 1: no-var",
    "0.js: line 1: no-var",
    "1.js: fine",
    "2.js: line 1: no-todo, line 2: no-console",
  ];
  assertEquals([stdout, stderr, code], [expected.map((line) => `${line}\n`).join(""), "", 0]);
});
