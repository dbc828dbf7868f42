import { task } from "@concurrent/futures/task";

export const square = task(import.meta.url, function square(n) {
  return n * n;
});

export const cube = task(import.meta.url, (n) => n ** 3);
