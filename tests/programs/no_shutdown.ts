// Submits and falls off its end: the work is finished, wherever its output is written. The last reference to the executor
// is gone at once.

import { square } from "../tasks/arithmetic.ts";
import { Executor } from "./executor.ts";

const late = async (text: string) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  console.log(text);
};

(() => {
  const executor = new Executor({ maxWorkers: 1 });
  executor.submit(square, 3).then((result) => console.log(`result ${result}`));
  executor.submit(late, "printed by the task");
})();
