// The runtime that runs the tests. Pages in browsers are programs of a test (tests/package/browser), and run none.

import { type Runtime as AnyRuntime, runtime as here } from "../../src/runtime.ts";

export type Runtime = Exclude<AnyRuntime, "browser">;

export const runtime: Runtime = here as Runtime;
