// Where a worker's entry is: in a file of this package, or, where a build tool has left that file behind, in the text of it. A
// worker without a file starts with a few lines (below), which wait for the text. So the text is loaded only then.

import { loadBuiltin, runtime } from "./runtime.ts";

/**
 * Makes the message to the first lines of a worker: the text of its entry. Others wait there until that runs.
 *
 * @param text The entry as a CommonJS module.
 */
export function entryMessage(text: string): object {
  // Not a `data:` module, whose URL would stand in each line of an error's stack. The name does.
  return { entry: `(function (require) {${text}\n})\n//# sourceURL=@concurrent/futures/worker` };
}

/** The first lines of a thread of Deno and Bun, and in a browser. */
export const WEB_LINES = `const kept = [];
addEventListener("message", function keep({ data }) {
  if (typeof data?.entry !== "string") return void kept.push(data);
  removeEventListener("message", keep);
  (0, eval)(data.entry)();
  for (const data of kept) dispatchEvent(new MessageEvent("message", { data }));
});`;

/**
 * The first lines of a thread of Node, and of a process.
 *
 * @param line The worker's end of the line, as an expression.
 */
export function firstLines(line: string): string {
  return `const line = ${line}, kept = [];
line.on("message", function keep(data) {
  if (typeof data?.entry !== "string") return void kept.push(data);
  line.off("message", keep);
  (0, eval)(data.entry)((name) => process.getBuiltinModule?.(name) ?? require(name));
  for (const data of kept) line.emit("message", data);
});`;
}

/** What Deno and Bun tell about a file. */
interface Files {
  readonly Deno?: {
    permissions: { querySync(descriptor: { name: "read"; path: URL }): { state: string } };
    statSync(file: URL): { readonly isFile: boolean };
  };
  readonly Bun?: { file(file: URL): { readonly size: number } };
}

/**
 * Finds the file of a worker's entry.
 *
 * @param path Where it is from the module that asks.
 * @param locate Returns its URL. Build tools for browsers copy the file, and change its URL, where that is written as they
 * expect it. Other tools do so too, but next to a package.json by which the copy is no module, so that copy is not used.
 * @param here The URL of the module that asks; a build tool may have left it none.
 * @returns Its URL; `undefined` when there is no such file.
 */
export function findEntry(path: string, locate: () => URL, here: string | undefined): URL | undefined {
  try {
    const url = locate(), isChanged = url.href !== new URL(path, here).href;
    if (isChanged) return runtime === "browser" ? url : undefined;
    const isHome = /\/src\/(thread|process|shared)\/[^/]+\.[jt]s$/.test(here ?? "");
    // To look takes Deno (2.9) 0.2 ms, others a tenth of that.
    const isThere = url.protocol === "file:" && !(isHome && runtime === "deno") ? exists(url) : undefined;
    return isThere ?? isHome ? url : undefined;
  } catch {
    return undefined; // there is no URL of this module either
  }
}

/**
 * Finds a file, or what a compiler has made of it: none changes `new URL("./my_worker.ts", import.meta.url)`.
 *
 * @returns Its URL; `undefined` when there is none.
 */
export function findCompiled(file: URL): URL | undefined {
  const script = file.href.replace(/\.[cm]?tsx?$/, "");
  const compiled = script === file.href ? [] : [new URL(`${script}.js`), new URL(`${script}.mjs`)];
  return [file, ...compiled].find((file) => exists(file) ?? true);
}

/** Whether there is a file; `undefined` when Deno does not permit to know. */
function exists(file: URL): boolean | undefined {
  const { Deno, Bun } = globalThis as Files;
  try {
    // `node:fs` takes Bun (1.4) 2 ms to load.
    if (Bun) return Bun.file(file).size > 0;
    if (!Deno) return loadBuiltin<typeof import("node:fs")>("node:fs").statSync(file).isFile();
    if (Deno.permissions.querySync({ name: "read", path: file }).state !== "granted") return undefined;
    return Deno.statSync(file).isFile;
  } catch {
    return false; // or the URL can be none of a file here: it has a host
  }
}
