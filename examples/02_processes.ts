// The same in a process, with a task from a module. Only the name of the executor differs.

import { ProcessPoolExecutor } from "@concurrent/futures";
import { countPrimes } from "./primes.ts";

await using executor = new ProcessPoolExecutor({ maxWorkers: 2 });
const small = executor.submit(countPrimes, 100);
const large = executor.submit(countPrimes, 100_000);
console.log(await small, await large); // 25 9592
