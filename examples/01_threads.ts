// A function runs in a thread. One that uses nothing from around it needs no module of its own.

import { ThreadPoolExecutor } from "@concurrent/futures";

await using executor = new ThreadPoolExecutor();
const future = executor.submit((a: number, b: number) => a ** b, 2, 10);
console.log(await future); // 1024
