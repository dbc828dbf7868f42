// asCompleted() gives Futures in the order in which they end: whoever is quick does not wait for the others.

import { asCompleted, ThreadPoolExecutor } from "@concurrent/futures";
import { countPrimes } from "./primes.ts";

await using executor = new ThreadPoolExecutor();
const futures = [10, 100, 1_000].map((limit) => executor.submit(countPrimes, limit));
let total = 0;
for await (const future of asCompleted(futures)) total += await future;
console.log(total); // 197
