// deno-lint-ignore-file no-console -- a program prints
// Submits a task from an ordinary host, and the same from a file that exports it: other_host.ts <URL of the module>.

import process from "node:process";
import { writeFileSync } from "node:fs";
import { ProcessPoolExecutor, taskModule, ThreadPoolExecutor } from "@concurrent/futures";

type Square = (n: number) => number;
const [, , url] = process.argv;
const there = taskModule<{ square: Square }>(url!);
writeFileSync(new URL("./square.ts", import.meta.url), `export { square } from "${url}";\n`);
const here = taskModule<{ square: Square }>(new URL("./square.ts", import.meta.url));

for (const Executor of [ThreadPoolExecutor, ProcessPoolExecutor]) {
  await using executor = new Executor({ maxWorkers: 1 });
  const error = await executor.submit(there.square, 3).exception();
  console.log(error instanceof Error ? error.message : "no error");
  console.log(await executor.submit(here.square, 3));
}
