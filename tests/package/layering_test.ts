// Who may know what in src/: the floors of the house, the seams that keep two backends and three runtimes apart, and how long
// a file may be.

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The floors, the ground first. A file imports files of its own room, and of rooms on lower floors; rooms of one floor do not
 * know each other. A room is a folder, or files by themselves.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["src/*"],
  ["src/wire/*"],
  ["src/task/*", "src/future/*"],
  ["src/executor/*", "src/worker/*"],
  ["src/pool/*"],
  ["src/thread/*", "src/process/*", "src/inline/*"],
  ["src/bullmq/*", "src/own_worker/*", "src/sync/*"],
  ["src/bullmq/submit/*", "src/bullmq/host/*"],
  ["src/bullmq/mod.ts"],
];

/** Lines of code that a file may have, without comments and blank lines. */
const LONGEST = 250;

/** Files with state in the module itself, each for a reason. */
const STATEFUL: Readonly<Record<string, string>> = {
  "src/runtime.ts": "what a program that exits has to call",
  "src/executor/executor.ts": "what a group may ask of an executor, set once by the class itself",
  "src/future/signal.ts": "one listener for each signal, held weakly",
  "src/future/future.ts": "what the executor may do with a Future, set once by the class itself",
  "src/pool/own_worker.ts": "threads that the user has started, held weakly",
  "src/pool/options.ts": "how many executors there were, for their names",
  "src/process/sentinel.ts": "one for each program",
  "src/process/relay.ts": "one for each thread that blocks",
  "src/wire/blocking.ts": "whether this thread blocks, and what it does meanwhile",
  "src/wire/failure.ts": "the classes of errors on their way, held weakly",
  "src/wire/registry.ts": "the functions of task(), which copies of this package share",
  "src/wire/marks.ts": "marks and classes that copies of this package share",
};

interface Source {
  /** Its path, such as `src/wire/claims.ts`. */
  readonly path: string;
  /** Without comments and blank lines. */
  readonly code: string;
  /** What it imports, types included, as written. */
  readonly imports: readonly string[];
}

const sources: readonly Source[] = (readdirSync(join(ROOT, "src"), { recursive: true }) as string[])
  .filter((name) => /\.[jt]s$/.test(name) && !/\.(d|text)\.ts$/.test(name))
  .map((name) => join("src", name).replaceAll("\\", "/")).sort()
  .map((path) => readSource(path, readFileSync(join(ROOT, path), "utf8")));

function readSource(path: string, text: string): Source {
  const code = text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "").replace(/^\s*\n/gm, "");
  const imports = [...code.matchAll(/(?:\bfrom|^import|\bimport\()\s*"([^"]+)"/gm)].map(([, specifier]) => specifier!);
  return { path, code, imports };
}

/** The file that a relative import names. */
const fileOf = (path: string, specifier: string) => join(dirname(path), specifier).replaceAll("\\", "/");

/** The floor and the room of a file; the last room that fits is its own. */
function place(path: string): { floor: number; room: string } {
  const rooms = FLOORS.flatMap((rooms, floor) => rooms.map((room) => ({ floor, room })));
  const own = rooms.findLast(({ room }) =>
    room === path || (room.endsWith("/*") && dirname(path) === room.slice(0, -2))
  );
  assert(own, `${path} is in no room of FLOORS`);
  return own;
}

/** Each import that does not lead downwards, or stay in its room. */
function upwardImports(files: readonly Source[]): string[] {
  return files.flatMap(({ path, imports }) => {
    const from = place(path);
    return imports.filter((specifier) => specifier.startsWith(".")).map((specifier) => fileOf(path, specifier))
      .filter((target) => {
        const to = place(target);
        return to.room !== from.room && to.floor >= from.floor;
      })
      .map((target) => `${path} -> ${target}`);
  });
}

/** The first circle of imports, as the files along it. */
function circle(files: readonly Source[]): string[] | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>(), trail: string[] = [];
  const visit = (path: string): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    trail.push(path);
    for (const specifier of byPath.get(path)?.imports ?? []) {
      const found = specifier.startsWith(".") ? visit(fileOf(path, specifier)) : undefined;
      if (found) return found;
    }
    trail.pop();
    done.add(path);
    return undefined;
  };
  for (const { path } of files) {
    const found = visit(path);
    if (found) return found;
  }
  return undefined;
}

const lengthOf = ({ code }: Source) => code.trim().split("\n").length;

const tooLong = (files: readonly Source[]) =>
  files.filter((file) => lengthOf(file) > LONGEST).map((file) => `${file.path}: ${lengthOf(file)} lines of code`);

/** Files with state in the module itself: what can be assigned anew, and what can be filled. */
function moduleState(files: readonly Source[]): string[] {
  return files.filter(({ path, code }) => {
    const statements = ts.createSourceFile(path, code, ts.ScriptTarget.Latest).statements.filter(
      ts.isVariableStatement,
    );
    return statements.some(({ declarationList: { flags, declarations } }) =>
      !(flags & ts.NodeFlags.Const) ||
      declarations.some(({ type, initializer }) =>
        initializer && isFillable(initializer) && !(type && /^[^<]*\breadonly\b|^Readonly/i.test(textOf(type, code)))
      )
    );
  }).map(({ path }) => path);
}

/** Whether a value is a new collection, or one that is made where it is missing. */
function isFillable(value: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(value)) return isFillable(value.expression);
  if (ts.isBinaryExpression(value)) return isFillable(value.right);
  if (ts.isNewExpression(value)) {
    return ts.isIdentifier(value.expression) && /^(Weak)?(Map|Set)$/.test(value.expression.text);
  }
  if (ts.isArrayLiteralExpression(value)) return value.elements.length === 0;
  return ts.isObjectLiteralExpression(value) && value.properties.length === 0;
}

const textOf = (node: ts.Node, code: string) => code.slice(node.pos, node.end).trim();

/** Every line of these files that matches. */
function matches(files: readonly Source[], pattern: RegExp): string[] {
  return files.flatMap(({ path, code }) =>
    code.split("\n").filter((line) => pattern.test(line)).map((line) => `${path}: ${line.trim()}`)
  );
}

const inRooms = (...folders: string[]) => sources.filter(({ path }) => folders.includes(dirname(path)));

test("src/ is found, and its comments are not taken for code", () => {
  assert(sources.length > 60);
  assert(sources.every(({ code }) => code.length > 0 && !code.includes("@example")));
  assert(sources.find(({ path }) => path === "src/executor/executor.ts")!.imports.length > 3);
  assert(sources.some(({ imports }) => imports.some((specifier) => specifier.startsWith("node:"))));
});

test("imports lead downwards", () => {
  assertEquals(upwardImports(sources), []);
});

test("no imports run in a circle", () => {
  assertEquals(circle(sources)?.join(" -> "), undefined);
});

test(`no file has more than ${LONGEST} lines of code`, () => {
  assertEquals(tooLong(sources), []);
});

test("modules have no state but what STATEFUL names", () => {
  assertEquals(moduleState(sources).filter((path) => !(path in STATEFUL)), []);
  const paths = new Set(moduleState(sources));
  assertEquals(Object.keys(STATEFUL).filter((path) => !paths.has(path)), [], "the list is up to date");
});

test("these rules see what breaks them", () => {
  const upward = readSource("src/executor/a.ts", 'import type { Scheduler } from "../pool/scheduler.ts";\n');
  assertEquals(upwardImports([upward]), ["src/executor/a.ts -> src/pool/scheduler.ts"]);
  const aside = readSource("src/thread/a.ts", 'export {\n  b,\n} from "../process/b.ts";\n');
  assertEquals(upwardImports([aside]), ["src/thread/a.ts -> src/process/b.ts"]);
  const [a, b] = [
    readSource("src/wire/a.ts", 'import { b } from "./b.ts";'),
    readSource("src/wire/b.ts", 'import { a } from "./a.ts";'),
  ];
  assertEquals(circle([a!, b!]), ["src/wire/a.ts", "src/wire/b.ts", "src/wire/a.ts"]);
  assertEquals(circle([a!]), undefined);
  assertEquals(tooLong([readSource("src/a.ts", "a();\n// comment\n".repeat(LONGEST))]), []);
  assertEquals(tooLong([readSource("src/a.ts", "a();\n".repeat(LONGEST + 1))]), ["src/a.ts: 251 lines of code"]);
  for (const state of ["let a = 1;", "const a: Map<\n  string,\n  number\n> =\n  new Map();", "const a = [];"]) {
    assertEquals(moduleState([readSource("src/a.ts", state)]), ["src/a.ts"], state);
  }
  for (const none of ["const a: ReadonlySet<string> = new Set();", "function a() {\n  let b = 1;\n}"]) {
    assertEquals(moduleState([readSource("src/a.ts", none)]), [], none);
  }
});

test("names of a platform are known to few: those of workers, four files for everybody, and a host's command and page", () => {
  const known =
    /^src\/(thread\/|process\/|own_worker\/|runtime\.ts$|flags\.ts$|entry\.ts$|wire\/place\.ts$|bullmq\/host\/(command|health)\.ts$)/;
  const others = sources.filter(({ path }) => !known.test(path));
  assertEquals(matches(others, /\bDeno\b|\bBun\b|"node:|\bWorker\(|\bself\b|\bprocess\./), []);
});

test("the worker's loop, and what a module of tasks imports, load nothing of the executors", () => {
  const known = new Set(["src/worker", "src/wire", "src/task"]);
  for (const { path, imports } of inRooms(...known)) {
    for (const specifier of imports) assert(known.has(dirname(fileOf(path, specifier))), `${path}: ${specifier}`);
  }
});

test("browsers can load what programs load: only the files where workers start import modules of Node by name", () => {
  const local = sources.filter(({ path }) => !path.startsWith("src/bullmq/"));
  const importing = local.filter(({ code }) => /^import (?!type\b)(?:[^;]* from )?"node:/m.test(code));
  assertEquals(importing.map(({ path }) => path), ["src/process/port.ts", "src/thread/port.node.ts"]);
  for (const { path, imports } of local) {
    if (/\/(entry\.js|entry\.node\.js)$/.test(path)) continue;
    for (const specifier of imports) assertNotMatch(specifier, /\/(port|port\.node)\.ts$/, path);
  }
});

test("src/bullmq/submit/ knows nothing of the local workers", () => {
  for (const { path, imports } of inRooms("src/bullmq/submit")) {
    for (const specifier of imports) {
      assertNotMatch(fileOf(path, specifier), /^src\/(pool|thread|process)\//, path);
    }
  }
});

test("nothing asks which backend it has", () => {
  assertEquals(matches(inRooms("src/executor", "src/pool"), /\.name === "(Thread|Process)PoolExecutor"/), []);
});

test("src/ has no dependencies, but for three of src/bullmq/", () => {
  const packages = new Set<string>();
  for (const { path, imports } of sources) {
    for (const specifier of imports.filter((specifier) => !/^(\.\.?\/|node:)/.test(specifier))) {
      assertMatch(path, /^src\/bullmq\//, `${path} imports ${specifier}`);
      packages.add(specifier);
    }
  }
  assertEquals([...packages].sort(), ["bullmq", "devalue", "ioredis"]);
});

test("src/ has no enum, no `private`, no code in strings", () => {
  assertEquals(matches(sources, /\benum\b|\bprivate\b|\bnew Function\b|\bnamespace\b/), []);
});
