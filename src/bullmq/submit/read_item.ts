// Reads how one call has ended, as its host says.

import {
  BrokenExecutor,
  BrokenProcessPool,
  BrokenThreadPool,
  TaskTimeoutError,
  WorkerLostError,
} from "../../future/errors.ts";
import type { ErrorConstructorLike } from "../../wire/error_class.ts";
import { decode, decodeFailure } from "../codec.ts";
import { type AnsweredFailure, answeredFailure } from "../errors.ts";
import type { ItemReply } from "../protocol.ts";
import type { ClusterSettings } from "./options.ts";

/** The classes of the errors that hosts make themselves. */
const HOST_ERRORS: ReadonlyMap<string, ErrorConstructorLike> = new Map(
  [BrokenExecutor, BrokenProcessPool, BrokenThreadPool, TaskTimeoutError, WorkerLostError]
    .map((type) => [type.name, type as ErrorConstructorLike]),
);

/** The message when a job returned something that is no reply. */
export const NO_REPLY = "The job's return value is not a reply of this library: is another worker on this queue?";

/** How a call has ended. */
export type ItemOutcome =
  | { readonly status: "fulfilled"; readonly value: unknown }
  | { readonly status: "rejected"; readonly reason: unknown; readonly kind: AnsweredFailure };

/** Reads the reply to a call. Never throws: what is malformed is an error. */
export function readItem(reply: ItemReply, { errorTypes, maxPayload }: ClusterSettings): ItemOutcome {
  try {
    if (typeof reply === "string") return { status: "fulfilled", value: decode(reply, errorTypes, maxPayload) };
    const { failure, by } = reply;
    const reason = decodeFailure(failure, by === "host" ? HOST_ERRORS : errorTypes, maxPayload);
    return { status: "rejected", reason, kind: answeredFailure(by, reason) };
  } catch (cause) {
    return { status: "rejected", reason: new Error("A host sent a malformed reply", { cause }), kind: "host" };
  }
}
