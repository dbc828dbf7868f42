// Has a worker in an endless synchronous loop, tells who that is, and waits to be killed.

import { Gate } from "../gate.ts";
import { Executor, print } from "./executor.ts";

const executor = new Executor({ maxWorkers: 1 });
const gate = new Gate();
executor.submit(async (folder: string) => {
  const { appendFileSync } = await import("node:fs");
  const { default: process } = await import("node:process");
  appendFileSync(`${folder}/notes`, `${process.pid}\n`);
  for (;;);
}, gate.folder);
await gate.noted();
const [pid] = gate.notes;
gate[Symbol.dispose]();
print(pid);
setInterval(() => {}, 1e6);
