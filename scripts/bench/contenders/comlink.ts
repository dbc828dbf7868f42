// Comlink joins one worker to its parent, and is no pool: here each call goes to the next worker in turn.

import { Worker as NodeWorker } from "node:worker_threads";
import type { Contender } from "../contender.ts";
import { here, load } from "./load.ts";

export const kinds: Contender["kinds"] = ["threads"];

export const open: Contender["open"] = async ({ workers }) => {
  const { transfer, wrap } = await load("comlink");
  const isWeb = "Deno" in globalThis || "Bun" in globalThis;
  const { default: nodeEndpoint } = isWeb ? {} as never : await load("comlink/dist/esm/node-adapter.mjs");
  const started = Array.from(
    { length: workers },
    () =>
      isWeb
        ? new Worker(here("workers/comlink.web.js"), { type: "module" })
        : new NodeWorker(here("workers/comlink.node.js")),
  );
  const remotes = started.map((worker) => wrap(isWeb ? worker : nodeEndpoint(worker)));
  let turn = 0;
  const next = () => remotes[turn++ % workers];
  return {
    submit: (task, arg) => next()[task](arg),
    move: (bytes) => next().giveBack(transfer(bytes, [bytes.buffer])),
    close: () => Promise.all(started.map((worker) => worker.terminate())),
  };
};
