// A call that takes too long is stopped, even one that never gives its thread back: its worker is ended and replaced.

import { ProcessPoolExecutor, TaskTimeoutError } from "@concurrent/futures";
import { countPrimes } from "./primes.ts";

await using executor = new ProcessPoolExecutor({ maxWorkers: 1 });
const error = await executor.with({ timeout: 200 }).submit(countPrimes, 1e12).catch((error) => error);
console.log(error instanceof TaskTimeoutError); // true
console.log(await executor.submit(countPrimes, 10)); // 4
