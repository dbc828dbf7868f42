// What is measured: the executor, and BullMQ by hand, without and with threads.

import type { Contender } from "./contender.ts";
import * as ours from "./ours.ts";
import * as plain from "./plain.ts";
import * as threads from "./threads.ts";

export const CONTENDERS = { ours, plain, threads } as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;
