// Dies of an error of its own while a call runs.

import { Executor } from "./executor.ts";

const executor = new Executor({ maxWorkers: 1 });
await executor.submit(() => 1);
executor.submit(() => new Promise((resolve) => setTimeout(resolve, 1e6)));
throw new Error("of the program itself");
