// Who may know what in src/: the seams that keep two backends and three runtimes apart, and the files readable.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Lines of code that a file may have. */
const LONGEST = 250;

interface Source {
  /** Its path, such as `src/wire/claims.ts`. */
  readonly path: string;
  /** Without comments and blank lines. */
  readonly code: string;
  /** What it imports, as written. */
  readonly imports: readonly string[];
}

const sources: readonly Source[] = (readdirSync(join(ROOT, "src"), { recursive: true }) as string[])
  .filter((name) => /\.[jt]s$/.test(name)).map((name) => join("src", name).replaceAll("\\", "/")).sort().map((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    const code = text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "").replace(/^\s*\n/gm, "");
    const imports = [...code.matchAll(/(?:from|^import|\bimport\()\s*"([^"]+)"/gm)].map(([, specifier]) => specifier!);
    return { path, code, imports };
  });

/** The folder below src/ that an import leads to, or "node:" for the runtime's own modules. */
function target({ path }: Source, specifier: string): string {
  if (specifier.startsWith("node:")) return "node:";
  return relative("src", join(dirname(path), specifier)).replaceAll("\\", "/").split("/")[0]!;
}

/** Every line of these files that matches. */
function matches(files: readonly Source[], pattern: RegExp): string[] {
  return files.flatMap(({ path, code }) =>
    code.split("\n").filter((line) => pattern.test(line)).map((line) => `${path}: ${line.trim()}`)
  );
}

const inFolders = (...folders: string[]) =>
  sources.filter(({ path }) => folders.some((f) => path.startsWith(`src/${f}/`)));

test("src/ is found, and its comments are not taken for code", () => {
  assert.ok(sources.length > 30);
  assert.ok(sources.every(({ code }) => code.length > 0 && !code.includes("@example")));
  assert.ok(sources.find(({ path }) => path === "src/executor/executor.ts")!.imports.length > 3);
});

test("names of a platform are known to few: src/thread/, src/process/, three files for everybody, and the command", () => {
  const known = /^src\/(thread\/|process\/|runtime\.ts$|flags\.ts$|wire\/place\.ts$|bullmq\/command\.ts$)/;
  const others = sources.filter(({ path }) => !known.test(path));
  assert.deepEqual(matches(others, /\bDeno\b|\bBun\b|"node:|\bWorker\(|\bself\b|\bprocess\./), []);
});

test("the worker's side imports nothing but itself", () => {
  for (const source of inFolders("worker", "wire")) {
    for (const specifier of source.imports) {
      assert.ok(["worker", "wire"].includes(target(source, specifier)), `${source.path} imports ${specifier}`);
    }
  }
});

test("src/wire/ does not know the worker's loop", () => {
  for (const source of inFolders("wire")) {
    for (const specifier of source.imports) assert.equal(target(source, specifier), "wire", source.path);
  }
});

test("the scheduler knows no backend: only the two executors name theirs", () => {
  const known: Record<string, string> = {
    "src/thread/thread_pool_executor.ts": "thread",
    "src/process/process_pool_executor.ts": "process",
  };
  for (const source of inFolders("executor")) {
    for (const specifier of source.imports) {
      const folder = target(source, specifier);
      if (folder === "thread" || folder === "process") assert.equal(known[source.path], folder, source.path);
    }
  }
  assert.deepEqual(matches(inFolders("executor"), /\.name === "(Thread|Process)PoolExecutor"/), []);
});

test("threads and processes do not know each other", () => {
  for (const [folder, other] of [["thread", "process"], ["process", "thread"]] as const) {
    for (const source of inFolders(folder)) {
      assert.ok(source.imports.every((specifier) => target(source, specifier) !== other), source.path);
    }
  }
});

test("src/ has no dependencies, but for three of src/bullmq/, which nothing else imports", () => {
  const packages = new Set<string>();
  for (const source of sources) {
    const inBullmq = source.path.startsWith("src/bullmq/");
    for (const specifier of source.imports) {
      if (inBullmq && !/^(\.\.?\/|node:)/.test(specifier)) packages.add(specifier);
      else assert.match(specifier, /^(\.\.?\/|node:)/, source.path);
      if (!inBullmq) assert.notEqual(target(source, specifier), "bullmq", source.path);
    }
  }
  assert.deepEqual([...packages].sort(), ["bullmq", "devalue", "ioredis"]);
});

test("src/ has no mutable state in its modules but what is named here, each for a reason", () => {
  const known = [
    "src/executor/call_options.ts", // one listener for each signal, held weakly
    "src/future/future.ts", // what the executor may do with a Future, set once by the class itself
    "src/pool/options.ts", // how many executors there were, for their names
    "src/wire/failure.ts", // the classes of errors on their way, held weakly
    "src/process/sentinel.ts", // one per program
    "src/thread/port.web.ts", // whether its thread ends by an error
    "src/runtime.ts", // the program exits once
    "src/wire/task_ref.ts", // which functions are tasks, held weakly, shared by copies of this package
    "src/task/transfer.ts", // marks, held weakly, shared by copies of this package
  ];
  const state = /^(export )?(let|var) |^const [^=]*= .*new (Weak)?(Map|Set)\b|^const [^=]*= (\[\]|\{\});/;
  const found = matches(sources, state).filter((line) => !/^\S+ const \w+: (readonly |Readonly(Map|Set)\b)/.test(line));
  assert.deepEqual([...new Set(found.map((line) => line.split(":")[0]!))].filter((path) => !known.includes(path)), []);
});

test("src/ has no enum, no `private`, no code in strings", () => {
  assert.deepEqual(matches(sources, /\benum\b|\bprivate\b|\bnew Function\b|\bnamespace\b/), []);
});

test(`src/ has no file of more than ${LONGEST} lines of code`, (t) => {
  for (const { path, code } of sources) {
    const lines = code.trim().split("\n").length;
    if (lines > LONGEST) t.diagnostic(`${path} has ${lines} lines of code`);
  }
});
