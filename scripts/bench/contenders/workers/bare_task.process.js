// The least that a worker can do with a module of tasks.

import process from "node:process";
import { increment } from "./ours_task.ts";

process.on("message", ({ id, arg }) => process.send({ id, result: increment(arg) }));
process.on("disconnect", () => process.exit());
