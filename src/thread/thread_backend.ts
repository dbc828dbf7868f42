// The backend of threads: Web Workers on Deno and Bun and in browsers, worker_threads on Node.

import type { Backend } from "../pool/backend.ts";
import { THREAD_OPTIONS } from "../pool/options.ts";
import { BrokenThreadPool } from "../future/errors.ts";
import { runtime } from "../runtime.ts";
import { checkPermissions } from "./permissions.ts";
import { start as startNode } from "./start.node.ts";
import { start as startWeb } from "./start.web.ts";

// Never called: Deno (2.9) caches and compiles what a program imports, and finds no worker's entry by its URL. It costs nothing
// at the start of a program, on no runtime, and a bundler that drops dead code drops it.
const _entry = () => import("./entry.web.js");

/** The backend of threads. */
export const threadBackend: Backend = {
  ownOptions: THREAD_OPTIONS,
  name: "ThreadPoolExecutor",
  Broken: BrokenThreadPool,
  ...(runtime === "deno" && {
    checkWorkerOptions: (action, options) => ({
      ...options,
      permissions: checkPermissions(action, options.permissions),
    }),
  }),
  start: runtime === "node" ? startNode : startWeb,
};
