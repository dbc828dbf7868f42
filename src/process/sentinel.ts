// Ends worker processes that outlive the program. A worker in a synchronous loop cannot notice that its parent is gone, but one
// tiny shell for all workers can: its standard input ends, however the parent died, and a second later it kills the workers
// that are left. It takes 1 ms to start and 1 MiB, against 12 to 25 ms and 5 MiB for a watching thread in each worker.

import type { ChildProcess } from "node:child_process";
import { loadBuiltin, process } from "../runtime.ts";

interface RunPermission {
  readonly Deno?: { permissions: { querySync(descriptor: { name: "run"; command: string }): { state: string } } };
}

/** Reads lines: `pid` adds a worker, `-pid` removes it. Ctrl-C is left to the parent. */
const SCRIPT = `trap '' INT
pids=
while read -r line; do
  case $line in
    -*) left=; for pid in $pids; do [ "-$pid" = "$line" ] || left="$left $pid"; done; pids=$left ;;
    *) pids="$pids $line" ;;
  esac
done
[ -z "$pids" ] || { sleep 1; kill -9 $pids; }`;

// One for the program. It runs while there is a worker.
let sentinel: ChildProcess | undefined;
const guarded = new Set<number>();

/** Adds a worker process, which is killed when it outlives the program. */
export function guard(pid: number): void {
  if (process.platform === "win32" || !mayRunShell()) return;
  guarded.add(pid);
  if (sentinel) sentinel.stdin!.write(`${pid}\n`);
  else sentinel = startShell();
}

/**
 * Removes a worker process that has ended.
 *
 * @param pid The process; `undefined` when it never started.
 * @param done Called when nothing is left running for it: the shell ends with the last worker.
 */
export function unguard(pid: number | undefined, done: () => void): void {
  if (pid === undefined || !guarded.delete(pid) || !sentinel) return done();
  if (guarded.size > 0) {
    sentinel.stdin!.write(`-${pid}\n`);
    return done();
  }
  const last = sentinel;
  sentinel = undefined;
  if (last.exitCode !== null || last.signalCode !== null || last.pid === undefined) return done();
  last.ref();
  last.once("exit", done);
  last.stdin!.end(`-${pid}\n`);
}

/** Starts the shell, with all guarded workers; `undefined` when there is none, and workers may outlive the program. */
function startShell(): ChildProcess | undefined {
  let shell: ChildProcess;
  try {
    // Not in the program's folder, which may be gone: Deno (2.9) starts nothing there.
    const { spawn } = loadBuiltin<typeof import("node:child_process")>("node:child_process");
    shell = spawn("sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], cwd: "/" });
  } catch {
    return undefined;
  }
  const gone = () => {
    if (sentinel === shell) sentinel = undefined; // the next worker starts another
  };
  shell.on("error", gone);
  shell.on("exit", gone);
  if (!shell.stdin || shell.pid === undefined) return undefined;
  shell.stdin.on("error", () => {});
  shell.unref();
  (shell.stdin as unknown as { unref?(): void }).unref?.();
  for (const pid of guarded) shell.stdin.write(`${pid}\n`);
  return shell;
}

/** Whether Deno permits it: without this question, it would prompt the user. */
function mayRunShell(): boolean {
  const { Deno } = globalThis as RunPermission;
  return !Deno || Deno.permissions.querySync({ name: "run", command: "sh" }).state === "granted";
}
