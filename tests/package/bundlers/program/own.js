// deno-lint-ignore-file no-console -- a program prints
// The same, in workers that start from a file of the program.
import { Worker } from "node:worker_threads";
import * as tasks from "./named_tasks.js";
import { outcomes } from "./outcomes.js";

const worker = () => new Worker(new URL("./my_worker.js", import.meta.url), { type: "module" });
const entry = new URL("./my_worker.js", import.meta.url);

outcomes(tasks, { threads: { worker }, processes: { entry } }).then((all) => console.log(JSON.stringify(all)));
