// map() calls a task with each item, and gives the results in the order of the items, each as soon as it is there.

import { ThreadPoolExecutor } from "@concurrent/futures";
import { countPrimes } from "./primes.ts";

await using executor = new ThreadPoolExecutor();
for await (const count of executor.map(countPrimes, [10, 100, 1_000])) console.log(count);
// 4
// 25
// 168
