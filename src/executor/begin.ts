// How a call begins: submit(), map() and stream() of an executor, a view and a group name their task, look whether there is
// room, and make the call.

import { SubmittedCall } from "./call.ts";
import { type CallSettings, readCallOptions } from "./call_options.ts";
import type { Engine } from "./engine.ts";
import { Mapping } from "./map.ts";
import { type MapIterator, readMapArguments } from "./map_options.ts";
import { Streaming, type StreamIterator } from "./stream.ts";
import type { Future } from "../future/future.ts";
import type { Submittable } from "../task/task.ts";
import { refuse } from "../wire/check.ts";

/** Calls a task. */
export function submit<A extends unknown[], R>(
  engine: Engine,
  settings: CallSettings | undefined,
  fn: Submittable<A, R>,
  args: A,
): Future<Awaited<R>> {
  engine.guard?.check("submit a task");
  const task = engine.tasks.get("submit a task", fn);
  settings?.scope?.assertOpen("submit a task to");
  if (task.isGenerator) refuseGenerator("submit a task", fn);
  engine.assertOpen();
  engine.queueLimit.admit();
  const call = new SubmittedCall<Awaited<R>>(engine, task, args, settings);
  engine.submit(call);
  return call.future;
}

/** Calls a task for each item. */
export function map(
  engine: Engine,
  settings: CallSettings | undefined,
  fn: unknown,
  rest: readonly unknown[],
): MapIterator<never> {
  engine.guard?.check("map a task");
  const task = engine.tasks.get("map a task", fn);
  settings?.scope?.assertOpen("map a task in");
  if (task.isGenerator) refuseGenerator("map a task", fn);
  return new Mapping(engine, task, settings, readMapArguments(rest));
}

/** Calls a task that yields values. */
export function stream<Y>(
  engine: Engine,
  settings: CallSettings | undefined,
  fn: unknown,
  args: readonly unknown[],
): StreamIterator<Y> {
  engine.guard?.check("stream a task");
  if (!engine.hasStreams) {
    throw new Error("Cannot stream a task as this executor has no streams: use submit() or map(), or local workers");
  }
  const task = engine.tasks.get("stream a task", fn);
  settings?.scope?.assertOpen("stream a task in");
  settings?.scope?.assertInside("stream a task");
  engine.assertOpen();
  engine.queueLimit.admit();
  return new Streaming<Y>(engine, task, settings ?? readCallOptions({}), args);
}

function refuseGenerator(action: string, fn: unknown): never {
  refuse(action, "a generator function has many results", fn, ". Use stream()");
}
