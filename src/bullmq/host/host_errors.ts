// Errors of a host, as opposed to those that tasks throw: what they are, and how they are told apart.

import { ErrorCode } from "bullmq";
import type { Redis } from "ioredis";
import { BrokenExecutor, ShutdownError, TaskTimeoutError, WorkerLostError } from "../../future/errors.ts";
import { MODULE_NOT_LOADED, TASK_NOT_FOUND } from "../../wire/messages.ts";
import { readHosts } from "../hosts.ts";
import type { JobData, Keys } from "../protocol.ts";
import type { ServeSettings } from "./serve_options.ts";

/** How many hosts an error names. */
const MOST_HOSTS = 20;

/** Whether the local executor runs nothing any more. The loss of one worker does not end it. */
export function isExecutorEnd(error: unknown): boolean {
  return error instanceof ShutdownError || (error instanceof BrokenExecutor && !(error instanceof WorkerLostError));
}

/** Whether the local executor made this error, not the task. */
export function isOfExecutor(error: unknown): boolean {
  return error instanceof WorkerLostError || error instanceof TaskTimeoutError;
}

/** Whether the module does not export the task. */
export function isTaskNotFound(error: unknown): error is TypeError {
  return error instanceof TypeError && (error as { code?: unknown }).code === TASK_NOT_FOUND;
}

/** Whether the task's module fails to load in a worker. */
export function isModuleNotLoaded(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === MODULE_NOT_LOADED;
}

/** What is wrong with a module that fails to load, without the task that was looked for. */
export function whyNotLoaded(error: Error): string {
  return error.message.replace(/^Cannot load the task '.*?' as its module /, "module ");
}

/** Whether a call has failed for a reason that its task has nothing to do with, and that another host may not have. */
export function isOfHost(error: unknown): boolean {
  return isExecutorEnd(error) || isTaskNotFound(error) || isModuleNotLoaded(error);
}

/** Why a host takes no more calls whose module keeps failing to load. */
export function hostUnfit(name: string, module: string, error: Error): Error {
  const why = whyNotLoaded(error);
  return new Error(`Host ${name} takes no more calls as its tasks '${module}' cannot be run: ${why}`, {
    cause: error.cause,
  });
}

/** Whether this host has lost a job to another: its lock has run out (BullMQ 6.7). */
export function isLockLost(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === ErrorCode.JobLockNotExist || code === ErrorCode.JobLockMismatch;
}

/** The error of a call whose hosts were lost too often. BullMQ counts them, but keeps no names. */
export function hostsLost(count: number): WorkerLostError {
  const error = new Error(`The call was delivered to ${count} hosts, and all were lost`);
  return new WorkerLostError({ started: "unknown", error });
}

/**
 * The error of a call whose task this host does not have. It says which hosts serve what.
 *
 * @param call The call.
 * @param settings The host's.
 * @param redis A connection.
 * @param keys The queue's keys.
 * @param why What the local executor said, if the module is there but does not export the task.
 */
export async function taskNotFound(
  { module, name }: JobData,
  settings: ServeSettings,
  redis: Redis,
  keys: Keys,
  why = `Cannot find the task '${name}' as there is no module '${module}'`,
): Promise<TypeError> {
  const hosts = await readHosts(redis, keys).catch(() => []); // the keys may hold anything
  const served = hosts.slice(0, MOST_HOSTS).map(({ name, tasks }) => `${name} (${tasks.join(", ")})`);
  if (hosts.length > MOST_HOSTS) served.push(`${hosts.length - MOST_HOSTS} more`);
  const error = new TypeError(
    `${why}. Host ${settings.name} looked for it; the hosts of queue '${settings.queue}' serve: ${served.join("; ")}`,
  );
  return Object.assign(error, { code: TASK_NOT_FOUND });
}
