import { task } from "@concurrent/futures/task";

export const countWords = task(import.meta.url, function countWords(text: string): number {
  return text.split(/\s+/).length;
});
