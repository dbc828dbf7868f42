// Finds what programs left behind that have ended: processes, and temporary files. Programs are told of both by their
// environment.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** How long a process may take to notice that its parent has ended, in milliseconds. */
const PATIENCE = 3_000;

/** The variable which marks the processes of a run: children inherit it. */
const MARK = "FUTURES_TEST_RUN";

/** A folder for what programs write, and what their environment has to say of it. */
export class Leftovers {
  readonly #mark: string;
  readonly #temporary: string;
  readonly #compiled: string;

  /** @param scratch A folder that no other run has. */
  constructor(scratch: string) {
    this.#mark = scratch;
    this.#temporary = mkdtempSync(join(scratch, "tmp-"));
    this.#compiled = join(scratch, "node");
  }

  /** What is added to the environment of the programs. */
  get env(): Record<string, string> {
    const temporary = this.#temporary;
    return {
      ...{ [MARK]: this.#mark, TMPDIR: temporary, TMP: temporary, TEMP: temporary },
      // The runtimes' own caches would look like files that the programs left. Node's has a folder of its own: without it
      // every worker strips the types of the source anew, and files of tests take twice as long (24.21).
      ...{ NODE_COMPILE_CACHE: this.#compiled, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
    };
  }

  /** Ends and removes what is left, and says what it was. */
  async remove(): Promise<string[]> {
    const deadline = Date.now() + PATIENCE;
    let processes = this.#processes();
    while (processes.length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      processes = this.#processes();
    }
    for (const { pid } of processes) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    }
    const files = readdirSync(this.#temporary);
    for (const file of files) rmSync(join(this.#temporary, file), { recursive: true });
    return [
      ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
      ...files.map((file) => `temporary file ${file}`),
    ];
  }

  /** The processes with the mark in their environment. Only Linux shows the environment of others. */
  #processes(): { pid: number; command: string }[] {
    if (process.platform !== "linux") return [];
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(`${MARK}=${this.#mark}`)) return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return [{ pid: Number(pid), command }];
      } catch {
        return []; // It has ended meanwhile, or belongs to another user.
      }
    });
  }
}
