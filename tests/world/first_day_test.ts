// Programs of a first day: by somebody who has read the first screen of README.md.

import { programs } from "./world.ts";

programs([
  {
    name: "a program and a module of tasks",
    files: {
      "words.ts": `
        import { task } from "@concurrent/futures/task";
        export const countWords = task(import.meta.url, function countWords(text: string): number {
          return text.split(/\\s+/).length;
        });`,
      "main.ts": `
        import { EXECUTOR as Executor } from "@concurrent/futures";
        import { countWords } from "./words.ts";
        await using executor = new Executor();
        console.log(await Promise.all(["a b", "c"].map((text) => executor.submit(countWords, text))));`,
    },
    prints: /\[\s*2,\s*1\s*\]/,
  },
]);
