// Tasks that speak on their worker's own channel.

import process from "node:process";
import { task } from "../../mod.ts";
import { seal } from "../../src/wire/seal.ts";

/** Says something to the parent that no worker says, and does not return. */
export const speakNonsense = task(import.meta.url, function speakNonsense(nonsense: unknown): Promise<never> {
  process.send!(seal(nonsense as never));
  return new Promise(() => {});
});
