// Submits a call, prints its result and ends: bullmq_end.ts <Redis> <queue> <how>

import process from "node:process";
import { BullMQExecutor } from "../../src/bullmq/mod.ts";
import { named } from "../bullmq_tasks.ts";
import { square } from "../tasks/arithmetic.ts";
import { print } from "./executor.ts";

const [url, queue, how] = process.argv.slice(2);
const options = { queue: queue!, connection: { url: url! } };
const unused = new BullMQExecutor(options);

if (how === "await using") {
  await using executor = new BullMQExecutor(options);
  executor.submit(named(square), 3).then((result) => print(`result ${result}`));
} else {
  const executor = new BullMQExecutor(options);
  executor.submit(named(square), 3).then((result) => print(`result ${result}`));
}
unused.stats();
