// Runs dnt: dnt.ts <its options, as JSON>. It is a process of its own, so that dnt.lock is its lock file: what comes from JSR has
// the hashes that are written there, or it does not run.

import process from "node:process";

/** The version of dnt, which dnt.lock has as well. */
export const DNT = "jsr:@deno/dnt@0.43.2";

if (import.meta.main) {
  // Not a literal: whatever checks or caches this file must not need JSR.
  const { build } = await import(DNT);
  await build(JSON.parse(process.argv[2]!));
}
