// A linter whose API is synchronous, as a plugin has to be, over a pool of processes.

// deno-lint-ignore-file no-console
import { ProcessPoolExecutor } from "@concurrent/futures";
import { iterateSync, resultSync } from "@concurrent/futures/sync";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "./rules.ts";

const executor = new ProcessPoolExecutor({ maxWorkers: 2 });

/** What its user calls. */
const linter = {
  lintFile: (file: string): string[] => resultSync(executor.submit(check, file)),
  *lintFiles(files: string[]) {
    let next = 0;
    for (const problems of iterateSync(executor.map(check, files))) yield { file: files[next++]!, problems };
  },
};

const folder = mkdtempSync(join(tmpdir(), "lint-"));
const texts = ["var a = 1;\n", "const b = 2;\n", "// TODO\nconsole.log(3);\n"];
const files = texts.map((text, i) => {
  const file = join(folder, `${i}.js`);
  writeFileSync(file, text);
  return file;
});
console.log(linter.lintFile(files[0]!).join());
for (const { file, problems } of linter.lintFiles(files)) {
  console.log(`${file.slice(-4)}: ${problems.join(", ") || "fine"}`);
}
rmSync(folder, { recursive: true });
