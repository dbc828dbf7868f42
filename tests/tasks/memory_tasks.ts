// Tasks that watch what a worker keeps.

import { task } from "../../mod.ts";
import { isCollected } from "../garbage.ts";
import { note } from "./gate_tasks.ts";

/** Drops its argument; notes later, with no other task run in between, whether the worker has dropped it too. */
export const watchArgument = task(
  import.meta.url,
  function watchArgument(folder: string, argument: object): object {
    const result = { large: new Array(1000) };
    const [ofArgument, ofResult] = [new WeakRef(argument), new WeakRef(result)];
    setTimeout(async () => {
      note(folder, `argument ${await isCollected(() => ofArgument) ? "dropped" : "kept"}`);
      note(folder, `result ${await isCollected(() => ofResult) ? "dropped" : "kept"}`);
    }, 20);
    return result;
  },
);
