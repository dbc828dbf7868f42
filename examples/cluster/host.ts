// A host: a program on any machine that reaches Redis and the files. It runs the calls of the queue in threads of its own,
// until it is told to end: REDIS_URL=<Redis> host.ts <threads>

// deno-lint-ignore-file no-console -- printing is what a program is for

import process from "node:process";
import { serve } from "@concurrent/futures/bullmq";
import { ThreadPoolExecutor } from "@concurrent/futures/thread";
import { beginWorker } from "../word_count/count_words.ts";
import { QUEUE } from "./machines.ts";

const [threads] = process.argv.slice(2);
const redis = process.env.REDIS_URL;
delete process.env.REDIS_URL; // nothing for a worker
const runtime = "Deno" in globalThis ? "Deno" : "Bun" in globalThis ? "Bun" : "Node";
const name = `${runtime} ${process.pid}`;

const executor = new ThreadPoolExecutor({ name, maxWorkers: Number(threads), initializer: beginWorker });
const host = await serve({
  ...{ name, queue: QUEUE, connection: { url: redis! }, executor, workers: Number(threads) },
  tasks: { count_words: new URL("../word_count/count_words.ts", import.meta.url) },
});
process.on("SIGTERM", async () => {
  await host.close(); // takes no more, and finishes what it has
  await executor.shutdown();
  process.exit();
});
console.log(`${name} serves`);
