/**
 * What `@concurrent/futures/worker` is in browsers: see src/own_worker/mod.ts. It loads nothing of Node, and nothing later, which
 * bundlers would put into files of their own.
 *
 * @module
 */

import { openPort } from "../thread/port.web.ts";
import { serve } from "../worker/main.ts";
import { awaitExecutor } from "./await_executor.ts";

export { type CurrentTask, currentTask, isWorker } from "../task/current_task.ts";

awaitExecutor(() => serve(openPort(true)));
