// A worker of the user's own in Deno, Bun or a browser: who has started it shows when the first message comes.

import { SEAL } from "../wire/seal.ts";

interface Scope {
  readonly WorkerGlobalScope?: unknown;
  readonly Bun?: object;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  dispatchEvent(event: Event): void;
}

/**
 * Begins the worker's loop when an executor sends its first message, and hands it the messages that come meanwhile. All other
 * messages go where they would go.
 *
 * @param begin Begins the loop.
 */
export function awaitExecutor(begin: () => void | Promise<void>): void {
  const scope = globalThis as unknown as Scope;
  if (scope.WorkerGlobalScope === undefined && !scope.Bun) return; // no thread; who calls this on Bun (1.4) knows
  const kept: MessageEvent[] = [];
  const keep = (event: MessageEvent) => {
    const { data } = event;
    if (!Array.isArray(data) || data.at(-1) !== SEAL || (kept.length === 0 && data[0]?.kind !== "init")) return;
    event.stopImmediatePropagation();
    if (kept.push(event) === 1) void beginWith();
  };
  const beginWith = async () => {
    await begin();
    scope.removeEventListener("message", keep);
    for (const { data, ports } of kept) scope.dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
  };
  scope.addEventListener("message", keep);
}
