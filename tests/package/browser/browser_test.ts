// Threads in a page of a real browser: from plain ES modules, with and without cross-origin isolation (without it there is no
// shared memory), and from the bundles of the usual tools. Where Chromium is not installed, the test says so and is skipped.

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { buildNpm } from "../../../scripts/build_npm.ts";
import { ROOT } from "../../../scripts/install.ts";
import { mustRun } from "../../../scripts/run.ts";
import { runtimes } from "../../../scripts/runtimes.ts";
import { serve, type Site } from "../../../scripts/serve.ts";
import { type Cell, type Column, recordRows, type Row } from "../reach_table.ts";
import { Browser, chromium, type Page } from "./chromium.ts";

const PAGES = join(import.meta.dirname!, "pages");
const BUNDLED = join(import.meta.dirname!, "bundled");
const EXAMPLE = join(ROOT, "examples", "mandelbrot");
const TOOLS = join(ROOT, "tests", "package", "bundlers");

const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const CANCELLED = "CancelledError: The call was cancelled";

/** What each case of pages/cases.js returns. */
const EXPECTED: Readonly<Record<string, unknown>> = {
  inline: 42,
  method: 42,
  task: 9,
  taskModule: 6,
  map: [1, 4, 9, 16],
  asCompleted: 14,
  error: [true, "out of range", true, "the cause"],
  uncloneable: /^DataCloneError: /,
  endlessLoop: ["TaskTimeoutError: The task 'loop' ran for more than 50 ms and was stopped", 16, 0],
  terminate: [/^WorkerLostError: Worker ThreadPoolExecutor-\d+_0 ended/, CANCELLED, 0],
  cancel: [true, CANCELLED, /^AbortError: /, "aborted"],
  close: /^WorkerLostError: .* ended with exit code 0$/,
  throwLater: /^WorkerLostError: .* ended with exit code 1: Uncaught Error: later$/,
  rejectLater: /^WorkerLostError: .* ended with exit code 1: Uncaught Error: rejected$/,
  many: 41654167500,
  manyByMap: 41654167500,
  transfer: [254, 253, 252, 0],
  idle: 4,
  initializer: "hello",
  blocking: [
    "Cannot wait for a result as a browser cannot receive anything without its event loop",
    "Cannot iterate over results as a browser cannot receive anything without its event loop",
    9,
  ],
  inlineExecutor: [
    ...["Futures", [1, 4, 9], "RangeError: out of range", [254, 253], 0, /^DataCloneError: /, /^TaskTimeoutError: /],
    [1, 2],
  ],
  processes: "Cannot create ProcessPoolExecutor as browsers have no processes: use ThreadPoolExecutor",
};

/** Compares a value with what is expected, in which a RegExp stands for the texts that it matches. */
function check(actual: unknown, expected: unknown): void {
  if (expected instanceof RegExp) return assertMatch(String(actual), expected);
  if (!Array.isArray(expected)) return assertEquals(actual, expected);
  assertStrictEquals((actual as unknown[]).length, expected.length, JSON.stringify(actual));
  for (const [i, part] of expected.entries()) check((actual as unknown[])[i], part);
}

/** Runs every case in a page. */
async function checkPage(t: TestContext, where: string, page: Page): Promise<void> {
  await t.test(`every case is known ${where}`, async () => {
    const [isolated, ...names] = await page.evaluate("Object.keys(cases)") as string[];
    assertEquals([isolated, ...Object.keys(EXPECTED)], ["isolated", ...names]);
  });
  for (const [name, expected] of Object.entries(EXPECTED)) {
    await t.test(`${name} ${where}`, async () => check(await page.evaluate(`cases.${name}()`), expected));
  }
  await t.test(`nothing is printed ${where} but what a task has not caught`, () => {
    assertEquals(page.printed, ["Uncaught (in promise) Error: rejected"]);
  });
}

/** A row of the table in docs/runtimes.md, for a page in which every case is as expected. */
function rowOf(tool: string, how: Partial<Record<Column, Cell>> = {}): Row {
  return { tool, inline: "works", task: "works", taskModule: "works", threads: "works", processes: "error", ...how };
}

test("browser", { skip: chromium ? false : "Chromium is not installed: apt-get install chromium" }, async (t) => {
  await buildNpm();
  const { node24 } = await runtimes();
  const { devDependencies: versions } = JSON.parse(readFileSync(join(TOOLS, "package.json"), "utf8"));
  const futures = join(ROOT, "npm", "esm");
  const scratch = mkdtempSync(join(tmpdir(), "futures-browser-"));
  const browser = await Browser.start(chromium!);
  const sites: Site[] = [];
  const rows: Row[] = [];
  const open = async (folders: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) => {
    const site = await serve(folders, headers);
    sites.push(site);
    return await browser.open(`${site.url}/pages/index.html`);
  };
  try {
    for (const [name, headers] of [["isolated from other origins", ISOLATED], ["of every day", {}]] as const) {
      const page = await open({ futures, pages: PAGES }, headers);
      await t.test(`a page ${name} is what it should be`, async () => {
        assertStrictEquals(await page.evaluate("cases.isolated()"), headers === ISOLATED);
      });
      await checkPage(t, `in a page ${name}`, page);
      await page.close();
    }
    rows.push(rowOf("Browser, ES modules"));

    const strict = await open({ futures, pages: PAGES }, {
      "Content-Security-Policy": "script-src 'self' 'unsafe-inline'",
    });
    await t.test("an inline task says that the page's policy forbids it", async () => {
      check(
        await strict.evaluate("cases.inline()"),
        /^EvalError: Cannot evaluate .* Content-Security-Policy .* use task\(\)$/,
      );
    });
    await t.test("a task of a module runs under a policy without 'unsafe-eval'", async () => {
      for (const name of ["task", "taskModule"]) check(await strict.evaluate(`cases.${name}()`), EXPECTED[name]);
    });
    await strict.close();
    rows.push(rowOf("Browser, without `unsafe-eval`", { inline: "error" }));

    for (const tool of ["esbuild", "webpack", "vite"]) {
      const folder = join(scratch, tool), packages = join(folder, "node_modules");
      mkdirSync(join(packages, "@concurrent", "futures"), { recursive: true });
      symlinkSync(join(TOOLS, "node_modules", tool), join(packages, tool), "junction");
      for (const part of ["esm", "package.json"]) {
        cpSync(join(ROOT, "npm", part), join(packages, "@concurrent", "futures", part), { recursive: true });
      }
      writeFileSync(join(folder, "package.json"), `{ "private": true, "type": "module" }\n`);
      for (const from of [PAGES, BUNDLED]) cpSync(from, folder, { recursive: true });
      const tasks = join(folder, "tasks.js");
      const text = readFileSync(tasks, "utf8").replace("/futures/src/task/mod.js", "@concurrent/futures/task");
      writeFileSync(tasks, text);
      await mustRun(node24, ["build.mjs", tool], { cwd: folder });
      const page = await open({ pages: join(folder, "dist") });
      await checkPage(t, `in a page that ${tool} has bundled`, page);
      await page.close();
      const name = { esbuild: "esbuild", webpack: "webpack", vite: "Vite" }[tool];
      const how = "[worker](#bundlers-for-browsers)";
      rows.push(
        rowOf(`${name} ${versions[tool].split(".").slice(0, 2).join(".")}, for browsers`, {
          threads: how,
          inline: how,
          task: how,
          taskModule: how,
        }),
      );
    }

    const example = await open({ futures, pages: EXAMPLE });
    const shows = async (pattern: RegExp) =>
      await example.evaluate(`new Promise((done) => {
        const look = () => ${pattern}.test(state.textContent) ? done(true) : setTimeout(look, 10);
        look();
      })`);
    await t.test("the example draws the Mandelbrot set, with any number of workers", async () => {
      await shows(/^Drawn by \d+ workers? in /);
      const colours = await example.evaluate(`new Set(new Uint32Array(
        picture.getContext("2d").getImageData(0, 0, picture.width, picture.height).data.buffer,
      )).size`);
      assert(Number(colours) > 100, `${colours} colours`);
      await example.evaluate("workers.value = 1, workers.onchange(), null");
      await shows(/^Drawn by 1 worker in /);
    });
    await t.test("the example stops, in the middle of what takes long", async () => {
      await example.evaluate("detail.value = detail.max, detail.onchange(), null");
      await shows(/^[1-9]\d* %$/);
      await example.evaluate("document.getElementById('stop').click()");
      await shows(/^Stopped at \d+ %$/);
      assertEquals(example.printed, []);
    });
    await t.test("the table says so", () => recordRows("browsers", rows));
  } finally {
    await browser.close();
    for (const site of sites) site.close();
    rmSync(scratch, { recursive: true, force: true });
  }
});
