// Holds tasks until the test lets them go on, in threads and processes alike. It is a folder with a file "closed",
// and a file in which tasks note what they have begun. The tasks are in tests/fixtures/tasks/gate_tasks.ts.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { notesOf } from "../fixtures/tasks/gate_tasks.ts";
import { until } from "./until.ts";

/**
 * A gate, closed at first. Declare it after the executor, so that `using` opens it before `await using` waits for the
 * executor: a failed assertion does not hang then.
 */
export class Gate implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "futures-gate-"));

  constructor() {
    writeFileSync(join(this.folder, "closed"), "");
  }

  /** What tasks have noted, in order. A task that holds here notes its value when it begins. */
  get notes(): string[] {
    return notesOf(this.folder);
  }

  /** Resolves when there are `count` notes. */
  noted(count: number = 1): Promise<void> {
    return until(`${count} tasks have begun`, () => this.notes.length >= count);
  }

  /** Lets all tasks go on. */
  open(): void {
    rmSync(join(this.folder, "closed"), { force: true });
  }

  [Symbol.dispose](): void {
    // A task may be writing its note.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
