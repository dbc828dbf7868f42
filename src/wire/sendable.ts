// What a line can carry, checked before it is sent: the runtimes say it too late, to the wrong side, or not at all.

import type { FromWorker, ToWorker } from "./messages.ts";
import { isSimple, partsOf, partsOfError, partsOfMap, partsOfSet, UNKNOWN, walk } from "./parts.ts";

/**
 * How deep a value may be nested for V8 to read it again. Where it has no room on its stack, Node (24) ends the whole program
 * when that was a process's message, and Deno (2.9) reads nothing more from that thread. It takes less room to write most
 * values than to read them. The deepest that Node reads are some 1,500 arrays as other properties of arrays, or 1,600
 * links of a list; Deno reads half as many again.
 */
const DEEPEST = 1000;

/** Gets a value that is not simple, and returns its parts, or refuses it. */
export type Look = (part: unknown) => readonly unknown[];

/** The arguments or results in a message. */
export function valuesOf(message: ToWorker | FromWorker): readonly unknown[] | undefined {
  if (message.kind === undefined) return message;
  if (message.kind === "run") return message.calls;
  return message.kind === "done" ? message.results : undefined;
}

/** The same message with others in their place. */
export function withValues<M extends ToWorker | FromWorker>(message: M, values: readonly unknown[]): M {
  if (message.kind === undefined) return values as unknown as M;
  return { ...message, [message.kind === "run" ? "calls" : "results"]: values };
}

/**
 * Makes values ready for a line.
 *
 * @param values The values.
 * @param look What that line looks at, and refuses.
 * @param deepest How deep they may be nested on it.
 * @returns The same; or a copy with what the getters in them give, each of which is called once.
 * @throws {DOMException} a DataCloneError, when something in them cannot cross.
 * @throws whatever a getter in them throws.
 */
export function toSend<V extends readonly unknown[]>(values: V, look: Look, deepest = DEEPEST): V {
  let unknown = false;
  const lookOrLeave: Look = (part) => {
    if (part !== UNKNOWN) return look(part);
    unknown = true;
    return [];
  };
  if (!walk(values, lookOrLeave, deepest)) throw tooDeep();
  if (!unknown) return values;
  const copy = structuredClone(values);
  const lookOnce: Look = (part) => {
    if (part !== UNKNOWN) return look(part);
    throw new DOMException("What is more than its properties cannot be sent to a worker", "DataCloneError");
  };
  if (!walk(copy, lookOnce, deepest)) throw tooDeep();
  return copy;
}

/**
 * Makes a message ready for a thread, where only depth has to be looked at: the line itself refuses the rest at once.
 *
 * @param message The message.
 * @param transfer What of it is moved.
 * @returns The message to send.
 * @throws {DOMException} a DataCloneError, when it is nested so deep that the other side could not read it.
 */
export function toThread<M extends ToWorker | FromWorker>(message: M, transfer: Transferable[] | undefined): M {
  const values = valuesOf(message);
  if (values === undefined || values.every(isSimple)) return message;
  // What is moved cannot be copied before: then what a getter gives may be too deep.
  const sent = transfer ? shallow(values) : toSend(values, lookForDepth);
  return sent === values ? message : withValues(message, sent);
}

/** A copy of a value as a thread gets it, or nothing of the kind: as {@linkcode toThread} throws. */
export function cloneForThread(value: unknown): unknown {
  if (isSimple(value)) return value;
  const [copy] = shallow([structuredClone(value)]);
  return copy;
}

function shallow<V extends readonly unknown[]>(values: V): V {
  if (!walk(values, lookForDepth, DEEPEST)) throw tooDeep();
  return values;
}

function lookForDepth(part: unknown): readonly unknown[] {
  if (typeof part !== "object" || part === null) return [];
  try {
    const prototype = Object.getPrototypeOf(part);
    if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return partsOf(part, never);
    if (ArrayBuffer.isView(part)) return [];
    if (part instanceof Map) return partsOfMap(part);
    if (part instanceof Set) return partsOfSet(part);
    return part instanceof Error ? partsOfError(part) : partsOf(part, never);
  } catch {
    return []; // a Proxy, which the line refuses
  }
}

// An array as another property of a long array, and so on a thousand times: nobody has that.
function never(): boolean {
  return false;
}

function tooDeep(): DOMException {
  return new DOMException("A value that is nested so deep cannot be sent to a worker, nor come from it", "DataCloneError");
}
