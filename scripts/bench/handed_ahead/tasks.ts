// What the workers run.

import { task } from "../../../src/task/mod.ts";
import { block as blockHere } from "./block.ts";

export const block = task(import.meta.url, blockHere);
