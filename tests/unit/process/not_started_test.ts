// A child that could not be started has no process: no signal is sent for it. Node (24) would send one to the number 0, which
// is the program itself with its whole process group.

import { assert, assertEquals } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import { test } from "node:test";
import { startProcess } from "../../../src/process/start.ts";
import type { WorkerOptions } from "../../../src/pool/backend.ts";
import type { WorkerExit } from "../../../src/wire/channel.ts";

const options: WorkerOptions = {
  memoryLimit: undefined,
  permissions: "inherit",
  env: undefined,
  cwd: undefined,
  execArgv: undefined,
};

for (const how of ["kill", "terminate"] as const) {
  test(`${how}() of a process that could not be started sends no signal, and its end is reported`, async () => {
    const signals: unknown[] = [];
    const spawnMissing = (_command: string, ...rest: [readonly string[], object]): ChildProcess => {
      const child = spawn("/there/is/no/such/program", ...rest);
      child.kill = (signal) => {
        signals.push(signal);
        return false;
      };
      return child;
    };
    let channel: ReturnType<typeof startProcess> | undefined;
    const exit = await new Promise<WorkerExit>((resolve) => {
      channel = startProcess(spawnMissing as typeof spawn, options, { onMessage: () => {}, onClose: resolve });
      channel[how]();
    });
    channel!.claims?.close();
    assertEquals(signals, []);
    assert(exit.error instanceof Error);
  });
}
