// Tells who its worker is, then waits to be killed: with an idle worker, or with one that waits ("busy").

import process from "node:process";
import { workerPid } from "../tasks/worker_tasks.ts";
import { Executor, print } from "./executor.ts";

const executor = new Executor({ maxWorkers: 1 });
const pid = await executor.submit(workerPid);
if (process.argv[3] === "busy") executor.submit(() => new Promise((resolve) => setTimeout(resolve, 1e6)));
print(pid);
setInterval(() => {}, 1e6);
