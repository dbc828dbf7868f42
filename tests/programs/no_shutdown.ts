// Submits and falls off its end: the work is finished, wherever its output is written. The last reference to the executor
// is gone at once.

import { square } from "../tasks/arithmetic.ts";
import { Executor, print } from "./executor.ts";

const late = async (text: string) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  // deno-lint-ignore no-console
  console.log(text);
};

(() => {
  const executor = new Executor({ maxWorkers: 1 });
  executor.submit(square, 3).then((result) => print(`result ${result}`));
  executor.submit(late, "printed by the task");
})();
