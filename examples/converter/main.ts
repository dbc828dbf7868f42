// Converts texts with a progress bar for each of them.

// deno-lint-ignore-file no-console -- printing is what a program is for

import { ThreadPoolExecutor } from "@concurrent/futures";
import process from "node:process";
import { convert } from "./convert.ts";

const TEXTS = { "poem.txt": "line\n".repeat(40), "novel.txt": "chapter\n".repeat(4000), "note.txt": "hello" };
const bars = new Map(Object.keys(TEXTS).map((name) => [name, 0]));

/** Draws the bars over those that are there; a file, which is no screen, gets only the last ones. */
function draw(last = false): void {
  if (!process.stdout.isTTY && !last) return;
  for (const [name, done] of bars) console.log(`${name.padEnd(10)} ${"█".repeat(done * 20).padEnd(20, "░")}`);
  if (!last) process.stdout.moveCursor(0, -bars.size);
}

await using executor = new ThreadPoolExecutor();
const futures = Object.entries(TEXTS).map(([name, text]) => {
  const onReport = (done: number) => {
    bars.set(name, done);
    draw();
  };
  return executor.with({ onReport }).submit(convert, text);
});
const converted = await Promise.all(futures);
draw(true);
console.log(`${converted.join("").length} characters`);
