// Loaded before the worker's entry. Fails in the way that the environment says.

import process from "node:process";
import { strike } from "./strike.ts";
import type { Way } from "./table.ts";

await strike(process.env.FAULT_WAY as Way, process.env.FAULT_FOLDER!);
