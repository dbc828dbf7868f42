// The documented way: the block waits.

import { square } from "../tasks/arithmetic.ts";
import { Executor, print } from "./executor.ts";

{
  await using executor = new Executor({ maxWorkers: 2 });
  for (const n of [1, 2, 3]) executor.submit(square, n).addDoneCallback((future) => print("done", future.done()));
}
print("after the block");
