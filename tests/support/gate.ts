// Holds tasks where a test wants them, in threads and processes alike: a folder with a file that says "closed", and one
// in which tasks note what they have begun. The tasks' side is tasks/gate_tasks.ts.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

/**
 * A gate, closed at first. Declare it after the executor: `using` then opens it before the executor is waited for, so a
 * failed assertion does not hang.
 */
export class Gate implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "futures-gate-"));

  constructor() {
    writeFileSync(join(this.folder, "closed"), "");
  }

  /** What tasks have noted, in order: those that hold here note their value when they begin. */
  get notes(): string[] {
    const file = join(this.folder, "notes");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  }

  /** Resolves when so many notes are there. */
  noted(count: number = 1): Promise<void> {
    return until(`${count} tasks have begun`, () => this.notes.length >= count);
  }

  /** Lets everybody pass. */
  open(): void {
    rmSync(join(this.folder, "closed"), { force: true });
  }

  [Symbol.dispose](): void {
    // A task may write its note at this very moment.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
