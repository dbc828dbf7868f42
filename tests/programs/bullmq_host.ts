// A host: serves the tests' modules with the options that it is given as JSON, says that it does, and goes on until it is
// told to end.

import process from "node:process";
import { ProcessPoolExecutor, ThreadPoolExecutor } from "../../mod.ts";
import { serve } from "../../src/bullmq/serve.ts";
import { MODULES } from "../bullmq_tasks.ts";

const { kind, ...options } = JSON.parse(process.argv[2]!);
const Executor = kind === "processes" ? ProcessPoolExecutor : ThreadPoolExecutor;
const executor = new Executor({ maxWorkers: options.workers });
const host = await serve({ tasks: MODULES, executor, ...options });
process.on("SIGTERM", async () => {
  await host.close();
  await executor.shutdown();
  process.exit();
});
process.stdout.write("serving\n");
