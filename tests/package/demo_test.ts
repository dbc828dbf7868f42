// The demo in examples/word_count/: as a program, on a folder whose words are known, and its parts that are easy to
// get wrong.

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cut, readPiece, textFiles } from "../../examples/word_count/batches.ts";
import { speeches } from "../../examples/word_count/corpus.ts";
import { countWords } from "../../examples/word_count/count_words.ts";
import { firstDifference } from "../../examples/word_count/report.ts";
import { run, type RunResult } from "../../scripts/run.ts";
import { CEILING } from "../support/until.ts";

const DEMO = new URL("../../examples/word_count/", import.meta.url);
const MIN_BATCH_BYTES = 64 * 1024;

/** A temporary folder, gone at the end of the block. */
function temporaryFolder(): { path: string; file(name: string, content: string): void } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "futures-demo-"));
  return {
    path,
    file: (name, content) => writeFileSync(join(path, name), content),
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

/** Runs the demo with this runtime in the folder `cwd`. */
function demo(cwd: string, ...args: string[]): Promise<RunResult> {
  const flags = "Deno" in globalThis ? ["run", "-A"] : [];
  const main = fileURLToPath(new URL("main.ts", DEMO));
  return run(process.execPath, [...flags, main, ...args], { cwd, timeout: CEILING });
}

/** How often a pattern is found. */
function occurrences(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** Fails unless every element that begins ends, inside the one it began in. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  for (const [tag, name] of xml.matchAll(/<\/?([a-z]+)(?:\s+[a-zA-Z:0-9-]+="[^"<]*")*\s*\/?>/g)) {
    if (tag.startsWith("</")) assertStrictEquals(open.pop(), name);
    else if (!tag.endsWith("/>")) open.push(name!);
  }
  assertEquals(open, []);
  assertStrictEquals(occurrences(xml, /</g), occurrences(xml, /<\/?[a-z]+(?:\s+[a-zA-Z:0-9-]+="[^"<]*")*\s*\/?>/g));
}

test("the demo counts, three times alike, and draws as many bars as there were calls", async () => {
  using input = temporaryFolder();
  using output = temporaryFolder();
  input.file("many_lines.txt", "Alpha beta, alpha!\n".repeat(20_000));
  input.file("one_line.js", "getHTMLElement();".repeat(10_000));
  const store = join("node_modules", ".store");
  mkdirSync(join(input.path, store), { recursive: true });
  input.file(join(store, "few.txt"), "Don't count 42 or 日本語.");
  input.file("empty.txt", "");
  input.file("data.bin", "zero\0zero");
  mkdirSync(join(input.path, ".git"));
  input.file(join(".git", "config"), "git");
  symlinkSync(join(input.path, "many_lines.txt"), join(input.path, "link.txt"));
  const bytes = ["many_lines.txt", "one_line.js", join(store, "few.txt")]
    .reduce((sum, name) => sum + statSync(join(input.path, name)).size, 0);
  const calls = Math.ceil(bytes / MIN_BATCH_BYTES);

  const { code, stdout: printed, stderr } = await demo(output.path, input.path, "--workers", "2");
  assertEquals(code, 0, printed + stderr);
  assertMatch(printed, /^\d+ cores?: \d+\.\d\d x with threads, \d+\.\d\d x with processes\n/);
  assertMatch(
    printed,
    new RegExp(`^3 files, 0\\.6 MB, in ${calls} calls\\. (Deno|Bun|Node) \\S+, --workers 2\\.$`, "m"),
  );
  for (const row of ["alpha 40,000", "beta 20,000", "element 10,000", "get 10,000", "html 10,000", "don't 1"]) {
    assertMatch(printed, new RegExp(`^${row.replace(" ", " +")}$`, "m"));
  }
  // The rest of them: count, or, and Japanese for "Japan" and "language", or for "Japanese", as the runtime's ICU has it.
  // 420,015 letters.
  assertMatch(
    printed,
    /^All three agree: 90,00[45] words of 4\.7 letters, [89] different ones, in 20,002 sentences\.$/m,
  );
  assertMatch(printed, /^serial +\d+\.\d\d s +1\.00 x +1$/m);
  for (const name of ["threads", "processes"]) {
    assertMatch(printed, new RegExp(`^${name} +\\d+\\.\\d\\d s +\\d+\\.\\d\\d x +[12]$`, "m"));
  }
  for (const name of ["serial", "threads", "processes"]) {
    assertEquals(occurrences(stderr, new RegExp(`^${name}: \\d+ % of 0\\.6 MB$`, "gm")), 4);
  }
  const all = printed + stderr;
  assert(!all.includes("\x1b") && !all.includes("\r"), "plain lines where there is no terminal");

  const svg = readFileSync(join(output.path, "timeline.svg"), "utf8");
  assertWellFormed(svg);
  assertStrictEquals(occurrences(svg, /class="call"/g), 3 * calls);
  const lanes = [...svg.matchAll(/>(\w+Executor-\d+_\d+)</g)].map(([, name]) => name!);
  assertStrictEquals(new Set(lanes).size, lanes.length);
  assertStrictEquals(occurrences(svg, /class="lane"/g), lanes.length);
  for (const worker of ["InlineExecutor-0_", "ThreadPoolExecutor-0_", "ProcessPoolExecutor-0_"]) {
    assert(lanes.some((lane) => lane.startsWith(worker)), worker);
  }
});

test("the demo exits with 2 when it cannot begin, and says why", async () => {
  using folder = temporaryFolder();
  const missing = join(folder.path, "missing");
  const cases: [args: string[], message: RegExp][] = [
    [[missing], /'.*missing' is not a folder/],
    [[fileURLToPath(import.meta.url)], /demo_test\.ts' is not a folder/],
    [[folder.path], /there is no text in/],
    [[folder.path, missing], /more than one folder/],
    [["--workers", "0"], /--workers must be a positive integer: received 0/],
    [["--workers", "two"], /--workers must be a positive integer: received two/],
    [["--loud"], /--loud/],
  ];
  for (const [args, message] of cases) {
    const { code, output } = await demo(folder.path, ...args);
    assertMatch(output, message);
    assertMatch(output, /^See --help\.$/m);
    assertNotMatch(output, /^ +at /m);
    assertEquals(code, 2, args.join(" "));
  }
  assert(!existsSync(join(folder.path, "timeline.svg")));
});

test("the demo's --help tells how to call it", async () => {
  using folder = temporaryFolder();
  const { code, output } = await demo(folder.path, "--help");
  assertMatch(output, /\[folder\] \[--workers N\]/);
  assertEquals(code, 0);
});

test("the demo's three programs differ by the import of the executor alone", () => {
  const [serial, threads, processes] = ["serial", "threads", "processes"]
    .map((name) => readFileSync(new URL(`${name}.ts`, DEMO), "utf8").split("\n"));
  assertMatch(serial![0]!, /^import \{ InlineExecutor as Executor \} from "@concurrent\/futures\/inline";$/);
  assertMatch(threads![0]!, /^import \{ ThreadPoolExecutor as Executor \} from "@concurrent\/futures\/thread";$/);
  assertMatch(processes![0]!, /^import \{ ProcessPoolExecutor as Executor \} from "@concurrent\/futures\/process";$/);
  assertEquals(threads!.slice(1), serial!.slice(1));
  assertEquals(processes!.slice(1), serial!.slice(1));
});

test("cut() and readPiece() give each line to one batch, wherever the cuts are", () => {
  using folder = temporaryFolder();
  const texts = ["one\ntwo\n\nthree", "\nä\n\n", "日本\n", "x"];
  for (const [index, text] of texts.entries()) folder.file(`${index}.txt`, text);
  const files = textFiles(folder.path).sort((a, b) => a.path < b.path ? -1 : 1);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (let size = 1; size <= bytes + 1; size++) {
    const batches = cut(files, size);
    assertStrictEquals(batches.length, Math.ceil(bytes / size));
    assertStrictEquals(batches.reduce((sum, batch) => sum + batch.bytes, 0), bytes);
    assertStrictEquals(batches.flatMap((batch) => batch.pieces).map(readPiece).join(""), texts.join(""));
  }
});

test("the demo reads the addresses where no folder is given", () => {
  const files = speeches();
  assert(files.some(({ path }) => path.endsWith("1941_franklin_d_roosevelt_d.txt")));
  assert(files.length >= 100 && files.every(({ path }) => path.endsWith(".txt")));
  assert(files.reduce((sum, { bytes }) => sum + bytes, 0) > 5e6);
});

test("countWords() is a plain function too, and finds the words in the names of programs", () => {
  using folder = temporaryFolder();
  folder.file("names.ts", "parseXMLDocument(HTMLElement, snake_case_name, MAX_SIZE, Straße, O'Neil, don't, x2y)");
  const [batch] = cut(textFiles(folder.path), 1_000);
  const { counts, letters, sentences, worker, began, ended } = countWords(batch!);
  assertEquals([letters, sentences], [
    "parsexmldocumenthtmlelementsnakecasenamemaxsizestraßeoneildon'txy".length,
    1,
  ]);
  const words = "parse xml document html element snake case name max size straße o neil don't x y";
  assertEquals([...counts], words.split(" ").map((word) => [word, 1]));
  assertEquals(worker, "");
  assert(began <= ended);
});

test("countWords() counts letters as a reader sees them, and sentences that have words", () => {
  using folder = temporaryFolder();
  folder.file("text.txt", "It costs 3.5 francs. Cafe\u0301?\n\n...\nNoël!\n");
  const [batch] = cut(textFiles(folder.path), 1_000);
  const { letters, sentences } = countWords(batch!);
  assertEquals([letters, sentences], ["itcostsfrancscafenoel".length, 3]);
});

test("firstDifference() finds words that are missing, too many or too few, and letters and sentences", () => {
  const counts = new Map([["a", 1], ["b", 2]]);
  const text = { counts, letters: 3, sentences: 1 };
  const difference = (counts: Map<string, number>) => firstDifference(text, { ...text, counts });
  assertEquals(difference(new Map([["b", 2], ["a", 1]])), undefined);
  assertEquals(difference(new Map([["a", 1]])), "'b' 0 times, not 2");
  assertEquals(difference(new Map([...counts, ["c", 3]])), "'c' 3 times, not 0");
  assertEquals(difference(new Map([["a", 1], ["b", 1_000]])), "'b' 1,000 times, not 2");
  assertEquals(firstDifference(text, { ...text, letters: 4 }), "4 letters, not 3");
  assertEquals(firstDifference(text, { ...text, sentences: 2 }), "2 sentences, not 1");
});
