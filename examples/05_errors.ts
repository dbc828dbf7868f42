// What a task throws is what the Future rejects with: its class, its message, and the line of the task in its stack.

import { ProcessPoolExecutor } from "@concurrent/futures";
import { countPrimes } from "./primes.ts";

await using executor = new ProcessPoolExecutor();
try {
  await executor.submit(countPrimes, -1);
} catch (error) {
  if (error instanceof RangeError) console.log(error.message); // There is nothing below -1
}
