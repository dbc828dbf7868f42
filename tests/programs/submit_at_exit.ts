// Submits when the program has begun to exit.

import process from "node:process";
import { square } from "../tasks/arithmetic.ts";
import { Executor, print } from "./executor.ts";

const executor = new Executor({ maxWorkers: 1 });
await executor.submit(square, 1);
process.on("exit", () => {
  try {
    executor.submit(square, 2);
    print("accepted");
  } catch (error) {
    print(String(error));
  }
});
