// The least that a worker can do with a module of tasks.

import { parentPort } from "node:worker_threads";
import { increment } from "./ours_task_npm.js";

parentPort.on("message", ({ id, arg }) => parentPort.postMessage({ id, result: increment(arg) }));
