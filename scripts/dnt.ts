// Runs dnt: dnt.ts <its options, as JSON>. It is a process of its own, so that dnt.lock is its lock file: what comes from JSR has
// the hashes that are written there, or it does not run.

import process from "node:process";
import { JSR_PACKAGES } from "./jsr.ts";

// Not a literal: whatever checks or caches this file must not need JSR. dnt.lock has the version as well.
const { build } = await import(JSR_PACKAGES["@deno/dnt"]!);
await build(JSON.parse(process.argv[2]!));
