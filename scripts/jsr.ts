// What comes from JSR: which packages, by deno.json, and whether JSR can be reached.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** How long JSR has to answer, in milliseconds. */
const PROBE_LIMIT = 5000;

/** The packages of JSR that build and test this one, by name: `jsr:@std/assert@1.0.19`. */
export const JSR_PACKAGES: Readonly<Record<string, string>> =
  JSON.parse(readFileSync(join(import.meta.dirname!, "..", "deno.json"), "utf8")).devImports;

/** Whether JSR answers about a package. It is asked for one small file, as its clients try again for minutes. */
export async function isJsrReachable(name: string): Promise<boolean> {
  const url = new URL(`/${name}/meta.json`, process.env.JSR_URL || "https://jsr.io");
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT) });
    await response.json();
    return response.ok;
  } catch {
    return false;
  }
}
