// Starts a worker process from the options of its executor, by the thread that has the executor: it knows the program's flags,
// environment and folder, and makes the page that it shares with the worker.

import type { spawn } from "node:child_process";
import type { WorkerOptions } from "../pool/backend.ts";
import { EntryText, openWithText } from "../pool/entry_text.ts";
import { expectAnswer } from "../pool/own_worker.ts";
import { type ChannelEvents, neverStarted, type WorkerChannel } from "../wire/channel.ts";
import { loadBuiltin, process } from "../runtime.ts";
import { PageClaims } from "../wire/page_claims.ts";
import { inheritedEnv } from "../flags.ts";
import { type Command, type ProcessChannel, spawnWorker } from "./child.ts";
import { commandLine, processEntry, startFolder } from "./command_line.ts";
import { type NewPage, newPage } from "./new_page.ts";

// Never called: with this, `deno cache` knows the worker's entry (see src/thread/thread_backend.ts).
const _entry = () => import("./entry.js");

const text = new EntryText(() => import("./entry.text.ts"));

/** Starts a process whose channel this thread reads. */
export function startHere(options: WorkerOptions, events: ChannelEvents): WorkerChannel {
  const { spawn } = loadBuiltin<typeof import("node:child_process")>("node:child_process");
  return startProcess(spawn, options, events);
}

/** Starts a process with Node's `spawn`, or with what a test passes in its place. */
export function startProcess(spawnChild: typeof spawn, options: WorkerOptions, events: ChannelEvents): WorkerChannel {
  return startBy(
    (command, page, events) => ({
      ...spawnWorker(spawnChild, command, events),
      claims: page && new PageClaims(page),
    }),
    options,
    events,
  );
}

/** Starts what the options ask for. */
export function startBy(
  open: (command: Command, page: NewPage | undefined, events: ChannelEvents) => ProcessChannel,
  options: WorkerOptions,
  events: ChannelEvents,
): WorkerChannel {
  let page: NewPage | undefined;
  try {
    const cwd = startFolder(options.cwd);
    const env = inheritedEnv(options.env, cwd);
    const entry = processEntry(options.entry);
    const args = commandLine(options, entry, cwd);
    page = newPage();
    const command: Command = { file: process.execPath, args, env, cwd, page: page?.descriptor };
    if (options.entry) return expectAnswer(events, (events) => open(command, page, events));
    if (entry) return open(command, page, events);
    let channel: ProcessChannel;
    const send = (message: object) => {
      try {
        channel.forward(message);
      } catch {
        // It has ended, and is about to say so.
      }
    };
    return openWithText(text, send, events, (events) => channel = open(command, page, events));
  } catch (error) {
    page?.close();
    return neverStarted(events, error);
  }
}
