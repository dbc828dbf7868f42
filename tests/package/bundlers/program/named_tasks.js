// Tasks for workers of the program's own, whose file is bundled by itself. Either name is enough.
import { task } from "@concurrent/futures/task";

export const square = task(import.meta.url, (n) => n * n, { name: "square" });

export const cube = task(import.meta.url, (n) => n ** 3, { module: "tasks" });
