// All cases, in the order in which they are run and shown.

import type { Case } from "./case.ts";
import { blockingCase } from "./cases/blocking.ts";
import { burstCase } from "./cases/burst.ts";
import { cpuCase } from "./cases/cpu.ts";
import { idleCase } from "./cases/idle.ts";
import { limitsCase } from "./cases/limits.ts";
import { mapCase } from "./cases/map.ts";
import { memoryCase } from "./cases/memory.ts";
import { mixCase } from "./cases/mix.ts";
import { patternsCase } from "./cases/patterns.ts";
import { payloadCase } from "./cases/payload.ts";
import { programsCase } from "./cases/programs.ts";
import { retireCase } from "./cases/retire.ts";
import { scalingCase } from "./cases/scaling.ts";
import { sequentialCase } from "./cases/sequential.ts";
import { startCase } from "./cases/start.ts";
import { streamCase } from "./cases/stream.ts";

export const CASES: readonly Case[] = [
  burstCase,
  patternsCase,
  sequentialCase,
  blockingCase,
  mapCase,
  streamCase,
  payloadCase,
  cpuCase,
  mixCase,
  startCase,
  retireCase,
  memoryCase,
  scalingCase,
  programsCase,
  idleCase,
  limitsCase,
];
