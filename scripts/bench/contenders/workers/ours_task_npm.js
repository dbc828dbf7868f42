import { task } from "@concurrent/futures/task";

export const increment = task(import.meta.url, function increment(n) {
  return n + 1;
});
