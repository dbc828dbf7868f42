// Calls fail and nobody looks: no rejection is unhandled, the exit code is the program's own, the failure is reported.

import process from "node:process";
import { fail } from "../tasks/worker_tasks.ts";
import { Executor } from "./executor.ts";

process.on("unhandledRejection", () => console.log("unhandled"));
{
  await using executor = new Executor({ maxWorkers: 1 });
  executor.submit(fail, "nobody looks");
}
console.log("goes on");
