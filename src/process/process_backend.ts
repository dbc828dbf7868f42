// Processes: one code path for all three runtimes, a child with an IPC channel that carries structured clones. Nobody's
// own framing over a pipe or socket was faster, and stdout is left to the tasks.

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Backend, WorkerOptions } from "../pool/backend.ts";
import { BrokenProcessPool } from "../future/errors.ts";
import { type ChannelEvents, neverStarted, type WorkerChannel, type WorkerExit } from "../wire/channel.ts";
import { runtime } from "../runtime.ts";
import type { FromWorker } from "../wire/messages.ts";
import { seal } from "../wire/seal.ts";
import { refusing } from "../wire/sendable.ts";
import { inheritedEnv } from "../flags.ts";
import { cloneForProcess } from "./cloneable.ts";
import { commandLine, startFolder } from "./command_line.ts";
import { harden } from "./node_channel.ts";
import { pack, unpack } from "./pack.ts";
import { checkWorkerOptions } from "./permissions.ts";
import { guard, unguard } from "./sentinel.ts";

/** How long an idle worker that is asked to end may take, in milliseconds: what a task left behind may have it deaf. */
const STOP_LIMIT = 5000;

/** How long a worker may take to end when its line is closed, in milliseconds: mostly, that is how its end begins. */
const CLOSED_LIMIT = 1000;

/** How often a dead worker's channel is looked at for last messages, and after how many looks in vain it has none. */
const LOOK = 50, LOOKS = 10;

/** Runs workers as processes. */
export const processBackend: Backend = {
  name: "ProcessPoolExecutor",
  Broken: BrokenProcessPool,
  ...(runtime === "deno" && { checkWorkerOptions }),
  start: (_name, options, events) => startProcess(spawn, options, events),
};

/** Starts a process, by Node's `spawn`. */
export function startProcess(spawnChild: typeof spawn, options: WorkerOptions, events: ChannelEvents): WorkerChannel {
  let child: ChildProcess | undefined;
  try {
    const cwd = startFolder(options.cwd);
    const env = inheritedEnv(options.env, cwd);
    child = spawnChild(process.execPath, commandLine(options, cwd), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
      ...(env && { env: env as NodeJS.ProcessEnv }),
      ...(cwd !== undefined && { cwd }),
    });
    return connect(child, events);
  } catch (thrown) {
    attempt(() => child?.kill("SIGKILL"));
    const error = (thrown as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED"
      ? new Error("Node is not allowed to start a process: add --allow-child-process to --permission", {
        cause: thrown,
      })
      : thrown;
    return neverStarted(events, error);
  }
}

function connect(child: ChildProcess, events: ChannelEvents): WorkerChannel {
  let exit: WorkerExit | undefined;
  let stopping = false;
  let killing: ReturnType<typeof setTimeout> | undefined;
  /** Why it was killed, if that was not asked for. */
  let why: Error | undefined;
  let looks = 0;
  let ended = false;
  const close = (how: WorkerExit) => {
    if (exit) return;
    exit = why ? { ...how, error: why } : how;
    clearTimeout(killing);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gone = () => {
      clearTimeout(timer);
      child.off("disconnect", gone);
      attempt(() => child.connected && child.disconnect()); // Deno (2.9) would keep the socket open for ever
      unguard(child.pid, () => events.onClose(exit!));
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
  const kill = (signal: "SIGTERM" | "SIGKILL") => {
    ended = true;
    if (!exit) attempt(() => child.kill(signal), (error) => close({ error, abandoned: true }));
  };
  const killIn = (delay: number, error?: Error) => {
    clearTimeout(killing);
    if (exit) return;
    killing = setTimeout(() => {
      why = error;
      kill("SIGKILL");
    }, delay);
  };
  // A worker that cannot be reached, or understood, any more is mostly dead, and about to say of what. Of one that is killed
  // after its end, Deno (2.9) says that it died of that.
  const giveUp = (error: Error) => killIn(LOOK, error);
  harden(child, giveUp);
  child.on("message", (received) => {
    looks = 0;
    const message = unpack(received) as FromWorker | undefined;
    if (message === undefined) tellWatcher(received);
    else if (stopping && message?.kind === "draining") killIn(STOP_LIMIT);
    else events.onMessage(message);
  });
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) close({ error });
    else if (error.syscall === "kill") close({ error, abandoned: true }); // it is not ours to end any more
    else giveUp(error);
  });
  child.on("disconnect", () => {
    if (!stopping) killIn(CLOSED_LIMIT, new Error("It has closed its line to the program"));
  });
  child.on("exit", (exitCode, signal) => close({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }));
  if (child.pid !== undefined) guard(child.pid);
  return {
    claims: undefined,
    send(message) {
      const packed = pack(message);
      if (child.pid === undefined) return; // it could not be started, and its error says why
      // A getter of an argument may have ended the worker: what is not sent to it has certainly not begun.
      if (ended || !child.connected) throw new Error("The worker has ended");
      refusing(() => child.send(packed));
    },
    clone: cloneForProcess,
    keepAlive(alive) {
      const channel = child.channel as { ref?(): void; unref?(): void } | null | undefined;
      attempt(() => {
        if (alive) {
          child.ref();
          channel?.ref?.();
        } else {
          child.unref();
          channel?.unref?.();
        }
      }, giveUp);
    },
    stop() {
      if (!child.connected) return;
      stopping = true;
      // Deno (2.9) may lose a disconnect() of this side while the worker sends: so the worker is asked to end by itself.
      killIn(STOP_LIMIT);
      attempt(() => child.send(seal({ kind: "stop" })), giveUp);
    },
    terminate: () => kill("SIGTERM"),
    kill: () => kill("SIGKILL"),
  };
}

/** Whatever the runtime makes of it, nothing is thrown. */
function attempt(action: () => unknown, onError: (error: Error) => void = () => {}): void {
  try {
    action();
  } catch (error) {
    onError(error as Error);
  }
}

/**
 * Hands on what a worker tells of a module that it loads, so that `node --watch` (24) starts the program again when that
 * changes. Node hands on what threads tell by itself; it tells of one module at a time.
 */
function tellWatcher(received: unknown): void {
  if (!process.env.WATCH_REPORT_DEPENDENCIES || !process.send) return;
  for (const kind of ["watch:import", "watch:require"]) {
    const files = (received as Record<string, unknown> | null | undefined)?.[kind];
    if (!Array.isArray(files) || files.length !== 1 || typeof files[0] !== "string") continue;
    process.send({ [kind]: [files[0]] }, undefined, undefined, () => {}); // a watcher that is gone needs nothing
  }
}
