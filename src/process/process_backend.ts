// The backend of processes. A program that blocks has them started, and their channels read, by a thread (relay.ts).

import type { Backend } from "../pool/backend.ts";
import { PROCESS_OPTIONS } from "../pool/options.ts";
import { BrokenProcessPool } from "../future/errors.ts";
import { runtime } from "../runtime.ts";
import { blockingHere, TOO_EARLY } from "../wire/blocking.ts";
import { neverStarted } from "../wire/channel.ts";
import { checkWorkerOptions } from "./permissions.ts";
import { startRelayed } from "./relay.ts";
import { startHere } from "./start.ts";

/** The backend of processes. */
export const processBackend: Backend = {
  ownOptions: PROCESS_OPTIONS,
  name: "ProcessPoolExecutor",
  Broken: BrokenProcessPool,
  ...(runtime === "deno" && { checkWorkerOptions }),
  start(_name, options, events) {
    try {
      return blockingHere()
        ? startRelayed(options, events)
        : { ...startHere(options, events), refusesToBlock: TOO_EARLY };
    } catch (error) {
      return neverStarted(events, error);
    }
  },
};
