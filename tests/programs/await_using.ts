// The documented way: the block waits.

import { square } from "../tasks/arithmetic.ts";
import { Executor } from "./executor.ts";

{
  await using executor = new Executor({ maxWorkers: 2 });
  for (const n of [1, 2, 3]) executor.submit(square, n).addDoneCallback((future) => console.log("done", future.done()));
}
console.log("after the block");
