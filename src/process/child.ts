// A worker process as the thread sees it that has started it, the same on all three runtimes: a child with an IPC channel that
// carries structured clones. Framing messages over a pipe or a socket was not faster, and the tasks keep stdout.

import type { ChildProcess, spawn } from "node:child_process";
import { type ChannelEvents, STOP_LIMIT, type WorkerChannel, type WorkerExit } from "../wire/channel.ts";
import { process, runtime } from "../runtime.ts";
import type { FromWorker } from "../wire/messages.ts";
import { seal } from "../wire/seal.ts";
import { refusing } from "../wire/sendable.ts";
import { cloneForProcess } from "./cloneable.ts";
import { harden } from "./node_channel.ts";
import { readsFrom } from "./node_pipe.ts";
import { pack, unpack } from "./pack.ts";
import { guard, unguard } from "./sentinel.ts";

/** How long a worker that closed its line may go on, in milliseconds: mostly, it is just ending. */
const CLOSED_LIMIT = 1000;

/** After the exit: poll every 50 ms for last messages, give up after 10 polls without one. */
const POLL = 50, POLLS = 10;

/** What is started: plain values, which cross to a relay. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The environment; that of the thread which starts it by default. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  /** The folder; that of the program by default. */
  readonly cwd: string | undefined;
  /** The descriptor of its page, if it has one. */
  readonly page: number | undefined;
}

/** The program's end of the line to a process. */
export interface ProcessChannel extends WorkerChannel {
  /** Sends a message that is packed. */
  forward(packed: object | string): void;
}

/**
 * Starts a process whose channel this thread reads.
 *
 * @param spawnChild Node's `spawn`, or what a test passes in its place.
 * @returns Its line, without claims. Throws when there can be no process.
 */
export function spawnWorker(spawnChild: typeof spawn, command: Command, events: ChannelEvents): ProcessChannel {
  const { file, args, env, cwd, page } = command;
  let child: ChildProcess | undefined;
  try {
    child = spawnChild(file, args, {
      stdio: ["ignore", "inherit", "inherit", "ipc", ...(page === undefined ? [] : [page])],
      serialization: "advanced",
      ...(env && { env: env as NodeJS.ProcessEnv }),
      ...(cwd !== undefined && { cwd }),
    });
    return connect(child, events);
  } catch (thrown) {
    if (child?.pid !== undefined) attempt(() => child?.kill("SIGKILL"));
    if ((thrown as NodeJS.ErrnoException).code !== "ERR_ACCESS_DENIED") throw thrown;
    throw new Error("Node is not allowed to start a process: add --allow-child-process to --permission", {
      cause: thrown,
    });
  }
}

function connect(child: ChildProcess, events: ChannelEvents): ProcessChannel {
  let exit: WorkerExit | undefined;
  let stopping = false;
  let killing: ReturnType<typeof setTimeout> | undefined;
  /** Why this end has killed the worker, unless it was asked to. */
  let why: Error | undefined;
  let polls = 0;
  const read = runtime === "node" ? readsFrom(child) : undefined;
  let ended = false;
  const close = (how: WorkerExit) => {
    if (exit) return;
    exit = why ? { ...how, error: why } : how;
    attempt(() => read?.(true));
    clearTimeout(killing);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gone = () => {
      clearTimeout(timer);
      child.off("disconnect", gone);
      attempt(() => child.connected && child.disconnect()); // Deno (2.9) would keep the socket open for ever
      unguard(child.pid, () => events.onClose(exit!));
    };
    // The last messages can come after the exit, and `disconnect` after them. It never comes on Deno (2.9) when a message to
    // the dead child was under way, nor on any runtime while a child of the child holds the channel open.
    const poll = () => {
      if (polls++ < POLLS) timer = setTimeout(poll, POLL);
      else gone();
    };
    if (!child.connected) return gone(); // it never started, or its last message has come
    child.once("disconnect", gone);
    poll();
  };
  const kill = (signal: "SIGTERM" | "SIGKILL") => {
    ended = true;
    // Node (24) would send the signal to a number that it has never set when the child could not be started: 0 is this program
    // with its whole process group. The "error" event of such a child is about to come.
    if (!exit && child.pid !== undefined) {
      attempt(() => child.kill(signal), (error) => close({ error, abandoned: true }));
    }
  };
  const killIn = (delay: number, error?: Error) => {
    clearTimeout(killing);
    if (exit) return;
    killing = setTimeout(() => {
      why = error;
      kill("SIGKILL");
    }, delay);
  };
  // A worker that can no longer be reached, or understood, is mostly dead, and its exit code is about to come. It is not killed
  // at once: Deno (2.9) would report that signal, also for a worker that had ended before.
  const giveUp = (error: Error) => killIn(POLL, error);
  harden(child, giveUp);
  child.on("message", (received) => {
    polls = 0;
    const message = unpack(received) as FromWorker | undefined;
    if (message === undefined) tellWatcher(received);
    else if (stopping && message?.kind === "draining") killIn(STOP_LIMIT);
    else events.onMessage(message);
  });
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) close({ error });
    else if (error.syscall === "kill") close({ error, abandoned: true }); // it may not be killed any more
    else giveUp(error);
  });
  child.on("disconnect", () => {
    if (!stopping) killIn(CLOSED_LIMIT, new Error("It closed its line to the program"));
  });
  child.on("exit", (exitCode, signal) => close({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }));
  if (child.pid !== undefined) guard(child.pid);
  return {
    claims: undefined,
    send(message) {
      this.forward(pack(message));
    },
    forward(packed) {
      if (child.pid === undefined) return; // it could not be started, which its "error" event reports
      // A getter of an argument may have ended the worker. These calls have certainly not begun.
      if (ended || !child.connected) throw new Error("The worker has ended");
      refusing(() => child.send(packed));
    },
    // Its last messages are read without a pause.
    heard: (_messages, waiting) => attempt(() => read?.(!waiting || exit !== undefined)),
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
      // Not disconnect(): Deno (2.9) can lose it while the worker sends. So the worker is asked to end by itself.
      killIn(STOP_LIMIT);
      attempt(() => child.send(seal({ kind: "stop" })), giveUp);
    },
    terminate: () => kill("SIGTERM"),
    kill: () => kill("SIGKILL"),
  };
}

/** Does something that must not throw, even if the runtime does. */
function attempt(action: () => unknown, onError: (error: Error) => void = () => {}): void {
  try {
    action();
  } catch (error) {
    onError(error as Error);
  }
}

/**
 * Passes on which module a worker loads, so that `node --watch` (24) restarts the program when that changes. Node reports one
 * module per message, and passes on by itself what its threads report.
 */
function tellWatcher(received: unknown): void {
  if (!process.env.WATCH_REPORT_DEPENDENCIES || !process.send) return;
  for (const kind of ["watch:import", "watch:require"]) {
    const files = (received as Record<string, unknown> | null | undefined)?.[kind];
    if (!Array.isArray(files) || files.length !== 1 || typeof files[0] !== "string") continue;
    process.send({ [kind]: [files[0]] }, undefined, undefined, () => {}); // the watcher may be gone
  }
}
