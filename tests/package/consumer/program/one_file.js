// deno-lint-ignore-file no-console -- a program prints
// A program and its task in one file, in JavaScript for Node 20: `node one_file.js thread|process`.

import process from "node:process";
import { isWorker, ProcessPoolExecutor, task, ThreadPoolExecutor } from "@concurrent/futures";

export const double = task(import.meta.url, function double(n) {
  return isWorker ? n * 2 : 0;
});

export const where = task(import.meta.url, async function where() {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const inner = new ThreadPoolExecutor({ maxWorkers: 1 });
  const result = await inner.submit(double, 21);
  await inner.shutdown();
  return `${result} ${isWorker}`;
});

async function main() {
  const executor = new (process.argv[2] === "thread" ? ThreadPoolExecutor : ProcessPoolExecutor)({ maxWorkers: 1 });
  const error = await executor.submit(double, 1).exception();
  console.log(error ? error.message : `${await executor.submit(where)} ${isWorker}`);
  await executor.shutdown();
}

if (!isWorker || process.env.UNGUARDED) main().catch(() => {});
