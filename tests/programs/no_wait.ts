// Shuts down without waiting while a call runs; with "cancel" the queue is dropped.

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Executor, print } from "./executor.ts";

const late = async (text: string) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return text;
};

const executor = new Executor({ maxWorkers: 1 });
for (const text of ["first", "second"]) {
  executor.submit(late, text).addDoneCallback((future) => print(text, future.outcome?.status));
}
while (executor.stats().running === 0) await delay(5);
await executor.shutdown({ wait: false, cancelFutures: process.argv[3] === "cancel" });
print("falls off its end");
