// What the documentation says is true: its programs run as a user would run them, its links lead somewhere, and the tests
// that it names exist.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { runtime } from "../support/runtime.ts";
import { needsRedis } from "../support/redis_server.ts";
import { type Block, blocksOf, install, ROOT, run, runAll, wantRedis } from "./docs_programs.ts";

/** The pages whose programs run. */
const PAGES = ["README.md", ...readdirSync(join(ROOT, "docs")).map((file) => `docs/${file}`)];

/** The pages whose links are followed. */
const LINKED = [
  ...[...PAGES, "SECURITY.md", "CHANGELOG.md", ".github/CONTRIBUTING.md"],
  ...["examples/README.md", "tests/README.md"],
];

/** Who reads more lines at first has a reason to. */
const MOST_LINES_OF_README = 200;

const texts: Readonly<Record<string, string>> = Object.fromEntries(LINKED.map((page) => [page, read(page)]));

/** Blocks that stand together, by what they belong to. */
const groups = new Map<string, Block[]>();

for (const page of PAGES) {
  const blocks = blocksOf(texts[page]!, page);
  if (blocks.length > 0) groups.set(page, blocks);
}

for (const file of ["mod.ts", ...sourceFiles("src")]) {
  const text = read(file);
  const blocks = [...text.matchAll(/@example (.*)\n\s*\* ```ts\n(.*?)\n\s*\* ```/gs)].map(([, title, code]) => ({
    place: `${file}, "${title}"`,
    code: code!.replaceAll(/^\s*\* ?/gm, "") + "\n",
    file: undefined,
    isCommonJs: false,
  }));
  if (blocks.length > 0) groups.set(`The documentation of ${file}`, blocks);
}

for (const [name, blocks] of groups) {
  test(`${name} runs as it is written`, wantRedis(blocks) ? needsRedis : {}, () => runAll(blocks));
}

if (runtime === "deno") {
  test("the programs of the documentation compile", async () => {
    const folder = mkdtempSync(join(tmpdir(), "futures-docs-"));
    try {
      install(folder);
      const files = [...groups.values()].flatMap((blocks, group) =>
        blocks.filter(({ isCommonJs }) => !isCommonJs).map(({ file, code }, n) => {
          mkdirSync(join(folder, `group_${group}`), { recursive: true });
          const path = `group_${group}/${file ?? `program_${n}.ts`}`;
          writeFileSync(join(folder, path), code);
          return path;
        })
      );
      const { problem, stderr } = await run(folder, ["check", "--quiet", ...files]);
      assertEquals(problem, undefined, stderr);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test("README.md has the lines that a new user copies", () => {
  for (
    const line of [
      "npx -y deno@2 task demo",
      "npx -y deno@2 task test",
      "deno add jsr:@concurrent/futures",
      "bun add @concurrent/futures",
      "npm install @concurrent/futures",
    ]
  ) {
    assertMatch(texts["README.md"]!, new RegExp(`^${line}`, "m"));
  }
  const { tasks } = JSON.parse(read("deno.json"));
  assert(tasks.demo && tasks.test);
});

test("the oldest versions that documents and the npm package promise are those that are tested", () => {
  const pinned = JSON.parse(readFileSync(join(ROOT, "scripts", "runtimes.json"), "utf8"))["linux-x64"];
  const oldest = (name: string) => pinned[`${name}Oldest`].version.replace(/\.0$/, "");
  const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
  const node = `${oldest("node")}, 22.3`;
  for (const [name, version] of [["Deno", oldest("deno")], ["Bun", oldest("bun")], ["Node", node]]) {
    assert(read("README.md").includes(`# ${name} ${version} or newer`), name);
    assertMatch(read("docs/runtimes.md"), new RegExp(`^\\| ${name} +\\| ${version} +\\|`, "m"));
  }
  const engines =
    `{ node: "^${pinned.nodeOldest.version} || >=22.3.0", bun: ">=${pinned.bunOldest.version}", deno: ">=${pinned.denoOldest.version}" }`;
  assert(read("scripts/build_npm.ts").includes(`engines: ${engines}`), engines);
});

test(`README.md has at most ${MOST_LINES_OF_README} lines`, () => {
  assert(texts["README.md"]!.trimEnd().split("\n").length <= MOST_LINES_OF_README);
});

test("README.md links to every page of docs/", () => {
  const linked = new Set(linksOf(texts["README.md"]!).map((target) => target.split("#")[0]));
  assertEquals(PAGES.slice(1).filter((page) => !linked.has(page)), []);
});

test("code that is not run is of packages that this project does not have", () => {
  for (const page of PAGES) {
    for (const [, code] of texts[page]!.matchAll(/^```(?:javascript|typescript)\n(.*?)^```$/gms)) {
      assertMatch(code!, /\bfrom "(?!node:|\.|@concurrent\/futures)[^"]+"/, `${page}: ${code}`);
    }
  }
});

for (const page of LINKED) {
  test(`the links of ${page} lead somewhere`, () => {
    for (const target of linksOf(texts[page]!)) {
      const [path, anchor] = target.split("#") as [string, string?];
      const file = path === "" ? page : join(dirname(page), path).replaceAll("\\", "/");
      assert(existsSync(join(ROOT, file)), target);
      if (anchor !== undefined) assert(anchorsOf(read(file)).includes(anchor), target);
    }
  });
}

for (
  const [page, interfaces] of [
    ["docs/guide.md", [
      ...[
        "ExecutorOptions",
        "ThreadPoolExecutorOptions",
        "ProcessPoolExecutorOptions",
        "CallOptions",
        "MapOptions",
        "ShutdownOptions",
      ],
      ...["WaitOptions", "AsCompletedOptions", "ResultOptions", "TaskOptions", "TaskModuleOptions"],
    ]],
    ["docs/cluster.md", ["BullMQExecutorOptions", "BullMQCallOptions", "ServeOptions"]],
  ] as const
) {
  test(`the table in ${page} has all options, and no others`, () => {
    const source = sourceFiles("src").map(read).join("\n");
    const options = interfaces.flatMap((name) => {
      const [, body] = new RegExp(`^export interface ${name}\\b[^{]*\\{$(.*?)^\\}$`, "ms").exec(source) ?? [];
      assert(body, `${name} is declared in src/`);
      return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??: /gm)].map(([, option]) => option!);
    });
    const table = texts[page]!.split("<!-- options:begin -->")[1]!.split("<!-- options:end -->")[0]!;
    const listed = table.trim().split("\n").slice(2).map((line) => line.split("|")[2]!.trim().replaceAll("`", ""));
    assertEquals([...new Set(listed)].sort(), [...new Set(options)].sort());
  });
}

test("docs/design.md names files that there are", () => {
  const folders = readdirSync(join(ROOT, "src")).filter((name) => !name.includes(".")).join("|");
  const file = new RegExp(`(?:\\b(?:src|tests|scripts)/|(?<![\\w/])(?:${folders})/)[\\w./*]*[\\w/]`, "g");
  const files = ["src", "tests", "scripts"].flatMap((folder) =>
    (readdirSync(join(ROOT, folder), { recursive: true }) as string[]).map((path) => join(folder, path))
  ).map((path) => path.replaceAll("\\", "/"));
  const named = [...texts["docs/design.md"]!.matchAll(file)].map(([path]) => path.replace(/\/$/, ""));
  assert(named.length > 0);
  for (const path of named) {
    const pattern = new RegExp(`^(src/)?${path.replaceAll(".", "\\.").replaceAll("*", "[^/]+")}$`);
    assert(files.some((file) => pattern.test(file)), path);
  }
});

test("SECURITY.md names tests that there are", () => {
  const named = [...texts["SECURITY.md"]!.matchAll(/`(tests\/\S+\.ts)`((?:(?:: |, )"[^"]+")*)/g)];
  assert(named.length > 0);
  for (const [, file, names] of named) {
    const code = read(file!);
    for (const [, name] of names!.matchAll(/"([^"]+)"/g)) assert(code.includes(name!), `${file}: ${name}`);
  }
});

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The text without its code. */
function prose(page: string): string {
  return page.replaceAll(/^```.*?^```$/gms, "");
}

/** Where a page links to within this repository. */
function linksOf(page: string): string[] {
  const links = prose(page).replaceAll(/`[^`\n]*`/g, "").matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g);
  return [...links].map(([, target]) => target!);
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(page: string): string[] {
  const found = new Map<string, number>();
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, title]) => {
    const text = title!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const anchor = text.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    const count = found.get(anchor) ?? 0;
    found.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? sourceFiles(path) : path.endsWith(".ts") ? [path] : [];
  });
}
