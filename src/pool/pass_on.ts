// What a worker says of a call that goes on: values of its stream, and what its task reports.

import type { HeldCalls } from "./held_calls.ts";
import { eachInOneGo } from "../wire/blocking.ts";
import type { Said, StreamNews } from "../wire/messages.ts";

/** What is said of a call before its answer. */
type News = StreamNews | Extract<Said, { kind: "reports" }>;

/**
 * Gives it to the call. Code of the user may run, which may stop the call.
 *
 * @param news What the worker says.
 * @param calls The calls that it has.
 * @returns Whether the worker may say that. It may of a call that was stopped meanwhile, which hears nothing.
 */
export function passOn(news: News, calls: HeldCalls): boolean {
  if (!calls.wasSent(news.call)) return false;
  const call = calls.at(news.call);
  if (!call) return true;
  if (news.kind !== "reports") return call.hear(news);
  if (!call.reports || !calls.hasBegun(call)) return false;
  eachInOneGo(news.values, (value) => {
    if (calls.has(call)) call.report(value);
  });
  return true;
}
