// Submits when the program has begun to exit.

import process from "node:process";
import { square } from "../tasks/arithmetic.ts";
import { Executor } from "./executor.ts";

const executor = new Executor({ maxWorkers: 1 });
await executor.submit(square, 1);
process.on("exit", () => {
  try {
    executor.submit(square, 2);
    console.log("accepted");
  } catch (error) {
    console.log(String(error));
  }
});
