// The executor across machines, and a host that runs the calls in threads.

import { taskModule } from "../../../mod.ts";
import { BullMQExecutor, serve } from "../../../src/bullmq/mod.ts";
import type { Client } from "./contender.ts";

const URL_OF_TASKS = new URL("./tasks.ts", import.meta.url);

const tasks = taskModule<typeof import("./tasks.ts")>(URL_OF_TASKS, { module: "tasks" });

/** The side that submits and awaits. */
export function open(url: string, queue: string): Promise<Client> {
  const executor = new BullMQExecutor({ queue, connection: { url } });
  return Promise.resolve({
    one: (task, arg) => executor.submit<[number], unknown>(tasks[task], arg).result(),
    many: (task, args) => Promise.all(args.map((arg) => executor.submit<[number], unknown>(tasks[task], arg))),
    map: (task, args) => Array.fromAsync(executor.map<number, unknown>(tasks[task], args)),
    chunks: (task, args, chunksize) => Array.fromAsync(executor.map<number, unknown>(tasks[task], args, { chunksize })),
    close: () => executor.shutdown(),
  });
}

/** The side that runs them. */
export async function serveTasks(url: string, queue: string, workers: number): Promise<void> {
  await serve({ queue, connection: { url }, tasks: { tasks: URL_OF_TASKS }, workers });
}
