// Makes a worker of the user's own serve the executor that has started it, if one has.

import { enterPlace, isServed, OWN_THREAD, startedAsOwnProcess } from "../wire/place.ts";
import { awaitExecutor } from "./await_executor.ts";

interface Globals {
  readonly Deno?: object;
  readonly Bun?: { readonly isMainThread: boolean };
  readonly process?: {
    getBuiltinModule?(name: "node:worker_threads"): typeof import("node:worker_threads");
  };
}

/** Whether an executor has started this thread of Node or Bun. It leaves a note for that, which this removes. */
function startedAsOwnThread({ process }: Globals): boolean {
  const threads = process?.getBuiltinModule?.("node:worker_threads");
  if (!threads || threads.isMainThread || threads.getEnvironmentData(OWN_THREAD) !== true) return false;
  threads.setEnvironmentData(OWN_THREAD, undefined);
  return true;
}

function serveIfAsked(): void {
  const globals = globalThis as Globals;
  if (isServed()) return;
  if (startedAsOwnProcess()) {
    enterPlace(true).served = true;
    void import("../process/entry.js"); // messages wait for a listener
  } else if (globals.Deno) {
    awaitExecutor(async () => {
      enterPlace(true);
      await import("../thread/entry.web.js");
    });
  } else if (globals.Bun) {
    if (!startedAsOwnThread(globals)) return;
    enterPlace(true).served = true;
    awaitExecutor(async () => void await import("../thread/entry.web.js"));
  } else if (startedAsOwnThread(globals)) {
    enterPlace(true).served = true;
    void import("../thread/entry.node.js"); // messages wait for a listener
  }
}

serveIfAsked();
