// Submits two calls, and waits to be killed: bullmq_submitter.ts <Redis> <queue> <gate> run|cancel

import process from "node:process";
import { BullMQExecutor } from "../../src/bullmq/bullmq_executor.ts";
import { named } from "../bullmq_tasks.ts";
import { hold, note } from "../tasks/gate_tasks.ts";
import { listen } from "../tasks/stop_tasks.ts";

const [url, queue, folder, orphans] = process.argv.slice(2);
const executor = new BullMQExecutor({
  queue: queue!,
  connection: { url: url! },
  orphans: orphans as "run" | "cancel",
});
if (orphans === "cancel") void executor.submit(named(listen), folder!, 0);
else void executor.submit(named(hold), folder!, 0);
void executor.submit(named(note), folder!, "second");
setInterval(() => {}, 1_000);
