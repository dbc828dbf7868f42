// Processes: one code path for all three runtimes, a child with an IPC channel that carries structured clones. Nobody's
// own framing over a pipe or socket was faster, and stdout is left to the tasks.

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Backend } from "../executor/backend.ts";
import { BrokenProcessPool } from "../executor/errors.ts";
import { runtime } from "../runtime.ts";
import type { Exit } from "../wire/channel.ts";
import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { assertCloneable } from "./cloneable.ts";
import { permissionFlags } from "./permissions.ts";

/** Runs workers as processes. */
export const processBackend: Backend = {
  name: "ProcessPoolExecutor",
  Broken: BrokenProcessPool,
  start(_name, events) {
    const child = spawn(process.execPath, commandLine(), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    let exit: Exit | undefined;
    // The last messages may come after the exit, and `disconnect` after them; a child that never started has neither.
    const close = (how: Exit) => {
      if (exit) return;
      exit = how;
      if (child.connected) child.once("disconnect", () => events.onClose(how));
      else events.onClose(how);
    };
    child.on("message", (message) => events.onMessage(message as FromWorker));
    child.on("error", (error) => {
      if (child.pid === undefined) close({ error });
      else child.kill("SIGKILL");
    });
    child.on("exit", (exitCode, signal) => close({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }));
    const kill = (signal: NodeJS.Signals) => void (exit ?? child.kill(signal));
    return {
      claims: undefined,
      send(message) {
        check(message);
        if (child.connected) child.send(message);
      },
      keepAlive(alive) {
        const channel = child.channel as { ref?(): void; unref?(): void } | null | undefined;
        if (alive) {
          child.ref();
          channel?.ref?.();
        } else {
          child.unref();
          channel?.unref?.();
        }
      },
      stop: () => child.connected && child.disconnect(),
      terminate: () => kill("SIGTERM"),
      kill: () => kill("SIGKILL"),
    };
  },
};

function check(message: ToWorker): void {
  if (message.kind === "run") assertCloneable(message.calls);
  else if (message.kind === "init") assertCloneable(message.initializer?.args);
}

function commandLine(): string[] {
  const entry = new URL("./entry.js", import.meta.url);
  if (runtime === "deno") return ["run", "--quiet", "--no-prompt", ...permissionFlags(), entry.href];
  return [...process.execArgv, fileURLToPath(entry)];
}
