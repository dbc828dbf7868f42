// Calls fail and nobody looks: no rejection is unhandled, the exit code is the program's own, the failure is reported.

import process from "node:process";
import { fail } from "../tasks/worker_tasks.ts";
import { Executor, print } from "./executor.ts";

process.on("unhandledRejection", () => print("unhandled"));
{
  await using executor = new Executor({ maxWorkers: 1 });
  executor.submit(fail, "nobody looks");
}
print("goes on");
