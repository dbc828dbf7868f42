// deno-lint-ignore-file no-console -- a program prints
// `deno run -A scripts/stress/page_order.ts [seconds]`, or with `bun` or `node`: tries that of two processes which each write a
// byte of a page and then read the other's, at least one reads what the other has written (src/process/page.ts).

import { spawn } from "node:child_process";
import { closeSync, constants, existsSync, openSync, readSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Bytes in the page: the round, what each side writes, whether the second has seen the first's, and that it is done. */
const ROUND = 0, MINE = [64, 4096 + 64] as const, SEEN = 128, DONE = 192, SIZE = 8192;

/** One side of the experiment. The first one begins each round, and looks at the outcome of the last. */
class Side {
  /** Rounds that were tried, and those in which neither has read what the other wrote. */
  rounds = 0;
  wrong = 0;
  /** Rounds in which both have read it: the two did run at the same time. */
  both = 0;
  readonly #page: number;
  readonly #number: 0 | 1;
  readonly #byte = new Uint8Array(1);

  constructor(page: number, number: 0 | 1) {
    this.#page = page;
    this.#number = number;
  }

  run(seconds: number): void {
    const end = performance.now() + seconds * 1000;
    let round = 0;
    const [own, other] = this.#number === 0 ? [0, 1] as const : [1, 0] as const;
    while (this.#number === 1 || performance.now() < end) {
      if (this.#number === 0) {
        round = round % 200 + 1;
        this.#write(ROUND, round);
      } else {
        let next = round;
        while (next === round) next = this.#read(ROUND);
        round = next;
        if (round === 255) return;
      }
      this.#write(MINE[own], round);
      const seen = this.#read(MINE[other]) === round;
      if (own === 1) {
        this.#write(SEEN, seen ? 1 : 0);
        this.#write(DONE, round);
        continue;
      }
      while (this.#read(DONE) !== round);
      const seenThere = this.#read(SEEN) === 1;
      this.rounds++;
      if (!seen && !seenThere) this.wrong++;
      if (seen && seenThere) this.both++;
    }
    this.#write(ROUND, 255);
  }

  #read(at: number): number {
    readSync(this.#page, this.#byte, 0, 1, at);
    return this.#byte[0]!;
  }

  #write(at: number, value: number): void {
    this.#byte[0] = value;
    writeSync(this.#page, this.#byte, 0, 1, at);
  }
}

if (process.argv.at(-1) === "other") {
  new Side(4, 1).run(Infinity);
} else {
  const seconds = Number(process.argv[2] ?? 10);
  for (const folder of new Set(["/dev/shm", tmpdir()])) {
    if (!existsSync(folder)) continue;
    const page = openSync(folder, 0o20200000 | constants.O_RDWR, 0o600);
    writeSync(page, new Uint8Array(SIZE), 0, SIZE, 0);
    const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
    const other = spawn(process.execPath, [...flags, fileURLToPath(import.meta.url), "other"], {
      stdio: ["ignore", "inherit", "inherit", "ipc", page],
    });
    const ended = new Promise((resolve) => other.once("exit", resolve));
    const side = new Side(page, 0);
    side.run(seconds);
    await ended;
    closeSync(page);
    console.log(`${folder}: ${side.rounds} rounds, in ${side.both} both have seen the other, ${side.wrong} wrong`);
    if (side.wrong > 0) process.exitCode = 1;
  }
}
