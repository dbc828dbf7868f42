// cancel() takes back a call that has not begun. One that runs goes on: an AbortSignal can stop that, too.

import { ThreadPoolExecutor } from "@concurrent/futures";
import { countPrimes } from "./primes.ts";

await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
const first = executor.submit(countPrimes, 100_000);
const second = executor.submit(countPrimes, 100_000);
console.log(second.cancel(), second.cancelled()); // true true
console.log(await first); // 9592
