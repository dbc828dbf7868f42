// Processes: one code path for all three runtimes, a child with an IPC channel that carries structured clones. Nobody's
// own framing over a pipe or socket was faster, and stdout is left to the tasks.

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Backend } from "../executor/backend.ts";
import { BrokenProcessPool } from "../executor/errors.ts";
import { type ChannelEvents, type Exit, neverStarted, type WorkerChannel } from "../wire/channel.ts";
import type { FromWorker, ToWorker } from "../wire/messages.ts";
import { refusing } from "../wire/sendable.ts";
import { cloneForProcess } from "./cloneable.ts";
import { commandLine } from "./command_line.ts";
import { pack, unpack } from "./pack.ts";
import { guard, unguard } from "./sentinel.ts";

/** How long an idle worker that is asked to end may take, in milliseconds: what a task left behind may have it deaf. */
const STOP_LIMIT = 5000;

/** How often a dead worker's channel is looked at for last messages, and after how many looks in vain it has none. */
const LOOK = 50, LOOKS = 10;

/** Runs workers as processes. */
export const processBackend: Backend = {
  name: "ProcessPoolExecutor",
  Broken: BrokenProcessPool,
  start(_name, limits, events) {
    try {
      const child = spawn(process.execPath, commandLine(limits), {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        serialization: "advanced",
        ...(limits.env && { env: limits.env as NodeJS.ProcessEnv }),
        ...(limits.cwd && { cwd: limits.cwd }),
      });
      return connect(child, events);
    } catch (error) {
      queueMicrotask(() => events.onClose({ error }));
      return neverStarted;
    }
  },
};

function connect(child: ChildProcess, events: ChannelEvents): WorkerChannel {
  let exit: Exit | undefined;
  let stopping: ReturnType<typeof setTimeout> | undefined;
  let looks = 0;
  const close = (how: Exit) => {
    if (exit) return;
    exit = how;
    clearTimeout(stopping);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gone = () => {
      clearTimeout(timer);
      child.off("disconnect", gone);
      if (child.connected) child.disconnect(); // Deno (2.9) would keep the socket open for ever
      unguard(child.pid, () => events.onClose(how));
    };
    // The last messages may come after the exit, and `disconnect` after them. It does not come on Deno (2.9) when a
    // message to the dead child was under way, nor anywhere while a child of its own has the channel open.
    const look = () => {
      if (looks++ < LOOKS) timer = setTimeout(look, LOOK);
      else gone();
    };
    if (!child.connected) return gone(); // it never started, or all is said
    child.once("disconnect", gone);
    look();
  };
  const killIn = (delay: number) => {
    clearTimeout(stopping);
    if (!exit) stopping = setTimeout(() => child.kill("SIGKILL"), delay);
  };
  child.on("message", (message) => {
    looks = 0;
    events.onMessage(unpack(message) as FromWorker);
  });
  child.on("error", (error) => {
    if (child.pid === undefined) return close({ error });
    // The channel is broken: the worker cannot be reached any more. Mostly that is because it is dead, and is about to say
    // of what; of one that was killed after that, Deno (2.9) says that it died of it.
    killIn(LOOK);
  });
  child.on("exit", (exitCode, signal) => close({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }));
  if (child.pid !== undefined) guard(child.pid);
  return {
    claims: undefined,
    send(message) {
      const packed = pack(message);
      if (child.connected) refusing(() => child.send(packed));
    },
    clone: cloneForProcess,
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
    stop() {
      if (!child.connected) return;
      // Deno (2.9) may lose a disconnect() of this side while the worker sends: so the worker is asked for its own.
      child.send({ kind: "stop" } satisfies ToWorker);
      killIn(STOP_LIMIT);
    },
    terminate: () => exit ?? child.kill("SIGTERM"),
    kill: () => exit ?? child.kill("SIGKILL"),
  };
}
