// A browser's worker whose file cannot be loaded: its error has neither a message nor a cause.

import { assertMatch } from "@std/assert";
import { test } from "node:test";
import type { WorkerOptions } from "../../../src/pool/backend.ts";
import { startThread } from "../../../src/thread/start.web.ts";
import type { WorkerExit } from "../../../src/wire/channel.ts";

class LostWorker extends EventTarget {
  onerror: ((event: Event) => void) | undefined;
  constructor() {
    super();
    queueMicrotask(() => this.onerror!(new Event("error")));
  }
  postMessage(): void {}
  terminate(): void {}
  ref(): void {}
  unref(): void {}
}

test("a worker whose file a browser cannot load says what to do", async () => {
  const options = { permissions: "inherit" } as WorkerOptions;
  const exit = await new Promise<WorkerExit>((onClose) =>
    startThread(LostWorker as never, "worker", options, { onMessage() {}, onClose })
  );
  assertMatch(String(exit.error), /could not be loaded, and the page's console says why.*: the option 'worker'$/);
});
