// Has a worker in a synchronous loop and one that is idle, and finishes its work when it is interrupted.

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { square } from "../tasks/arithmetic.ts";
import { block } from "../tasks/gate_tasks.ts";
import { Gate } from "../gate.ts";
import { Executor, print } from "./executor.ts";

const executor = new Executor({ maxWorkers: 2 });
const gate = new Gate();
const busy = executor.submit(block, gate.folder, 1);
await gate.noted();
await executor.submit(square, 1);
const alive = setInterval(() => {}, 1e6);
process.on("SIGINT", async () => {
  await delay(100); // in which the workers could die, or complain
  gate.open();
  const { workers, lost } = executor.stats();
  print(`busy ${await busy}`, `workers ${workers}`, `lost ${lost}`);
  clearInterval(alive);
  await executor.shutdown();
  gate[Symbol.dispose]();
});
print("ready");
