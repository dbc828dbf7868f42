// All behaviours without workers, and those that only an executor without workers has.

import type { Kind } from "./behaviour.ts";
import { executorCases } from "./executor_cases.ts";
import { INLINE } from "./kinds.ts";

executorCases(INLINE, inlineCases);

function inlineCases(_kind: Kind): void {}
