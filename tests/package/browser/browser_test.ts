// Threads in a page of a real browser: from plain ES modules, with and without cross-origin isolation. Without it there is no
// shared memory. Where Chromium is not installed, the test says so and is skipped.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { buildNpm } from "../../../scripts/build_npm.ts";
import { ROOT } from "../../../scripts/install.ts";
import { Browser, chromium } from "./chromium.ts";
import { serve, type Site } from "./server.ts";

const PAGES = join(import.meta.dirname!, "pages");

const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const LOST = /^WorkerLostError: Worker ThreadPoolExecutor-\d+_0 ended/;

/** What each case of pages/cases.js returns. */
export const EXPECTED: Readonly<Record<string, unknown>> = {
  inline: 42,
  method: 42,
  task: 9,
  map: [1, 4, 9, 16],
  asCompleted: 14,
  error: [true, "out of range", true, "the cause"],
  uncloneable: /^DataCloneError: /,
  endlessLoop: ["TaskTimeoutError: The task 'loop' ran for more than 50 ms and was stopped", 16, 0],
  terminate: [LOST, "CancelledError: The call was cancelled", 0],
  cancel: [true, "CancelledError: The call was cancelled", /^AbortError: /, /^AbortError: /],
  close: /^WorkerLostError: .* ended with exit code 0$/,
  throwLater: /^WorkerLostError: .* ended with exit code 1: Uncaught Error: later$/,
  rejectLater: /^WorkerLostError: .* ended with exit code 1: Uncaught Error: rejected$/,
  many: 41654167500,
  manyByMap: 41654167500,
  transfer: [254, 253, 252, 0],
  idle: 4,
  initializer: "hello",
  processes: "Cannot create ProcessPoolExecutor as browsers have no processes: use ThreadPoolExecutor",
};

/** Compares a value with what is expected, in which a RegExp stands for the texts that it matches. */
export function check(actual: unknown, expected: unknown): void {
  if (expected instanceof RegExp) return assert.match(String(actual), expected);
  if (!Array.isArray(expected)) return assert.deepEqual(actual, expected);
  assert.equal((actual as unknown[]).length, expected.length, JSON.stringify(actual));
  for (const [i, part] of expected.entries()) check((actual as unknown[])[i], part);
}

test("browser", { skip: chromium ? false : "Chromium is not installed: apt-get install chromium" }, async (t) => {
  await buildNpm();
  const folders = { futures: join(ROOT, "npm", "esm"), pages: PAGES };
  const browser = await Browser.start(chromium!);
  const sites: Site[] = [];
  const open = async (headers: Readonly<Record<string, string>>) => {
    const site = await serve(folders, headers);
    sites.push(site);
    return await browser.open(`${site.url}/pages/index.html`);
  };
  try {
    for (const [name, headers] of [["isolated from other origins", ISOLATED], ["of every day", {}]] as const) {
      const page = await open(headers);
      await t.test(`a page ${name} has what it should`, async () => {
        assert.equal(await page.evaluate("cases.isolated()"), headers === ISOLATED);
        assert.deepEqual(Object.keys(EXPECTED), (await page.evaluate("Object.keys(cases)") as string[]).slice(1));
      });
      for (const [it, expected] of Object.entries(EXPECTED)) {
        await t.test(`${it} in a page ${name}`, async () => check(await page.evaluate(`cases.${it}()`), expected));
      }
      await t.test(`nothing is printed in a page ${name} but what a task has not caught`, () => {
        assert.deepEqual(page.printed, ["Uncaught (in promise) Error: rejected"]);
      });
      await page.close();
    }

    const strict = await open({ "Content-Security-Policy": "script-src 'self' 'unsafe-inline'" });
    await t.test("an inline task says that the page's policy forbids it", async () => {
      check(
        await strict.evaluate("cases.inline()"),
        /^EvalError: Cannot evaluate .* Content-Security-Policy .* use task\(\)$/,
      );
    });
    await t.test("a task of a module runs under a policy without 'unsafe-eval'", async () => {
      check(await strict.evaluate("cases.task()"), EXPECTED.task);
    });
    await strict.close();
  } finally {
    await browser.close();
    for (const site of sites) site.close();
  }
});
