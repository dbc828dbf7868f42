// Has executors with nothing to do: used, unused, and with results that nobody takes.

import process from "node:process";
import { square } from "../tasks/arithmetic.ts";
import { Executor, print } from "./executor.ts";

const unused = new Executor();
const used = new Executor({ maxWorkers: 2, idleTimeout: 1e6 });
print(await used.submit(square, 3));
const results = used.map(square, [1, 2, 3]);
await results.next();
// A timer of a wait that is over keeps nothing alive.
await used.submit(square, 4).result(1e6);
process.exitCode = 7;
print(unused.stats().workers, used.stats().lost);
