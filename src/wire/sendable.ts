// What a line can carry, checked before it is sent: the runtimes say it too late, to the wrong side, or not at all.

import type { FromWorker, ToWorker } from "./messages.ts";
import { FEW, glance, isSimple, partsOf, partsOfError, partsOfMap, partsOfSet, UNKNOWN, walk } from "./parts.ts";

/**
 * How deep a value may be nested for V8 to read it again. Where it has no room on its stack, Node (24) ends the whole program
 * when that was a process's message, and Deno (2.9) reads nothing more from that thread. It takes less room to write most
 * values than to read them. The deepest that Node reads are some 1,500 arrays as other properties of arrays, or 1,600
 * links of a list; Deno reads half as many again.
 */
const DEEPEST = 1000;

/**
 * So many objects are looked at without calling their getters, before they go to a thread. Of more, to be careful takes 15 %
 * of the time that their copy does, and not to be a third of that.
 */
const CAREFUL = 64;

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
  const copy = refusing(() => structuredClone(values));
  const lookOnce: Look = (part) => {
    if (part !== UNKNOWN) return look(part);
    throw new DOMException("What is more than its properties cannot be sent to a worker", "DataCloneError");
  };
  if (!walk(copy, lookOnce, deepest)) throw tooDeep();
  return copy;
}

/** Puts a message on a line. */
type Post<M> = (message: M, transfer?: Transferable[]) => void;

/**
 * A thread's line, on which only depth has to be looked at before: it refuses the rest at once.
 *
 * @param post Puts a message on the line.
 * @param shallow Whether the other side reads less deep than this one writes.
 * @returns The same; it throws a DataCloneError, too, when a value is nested so deep that the other side could not read it.
 */
export function toThread<M extends ToWorker | FromWorker>(post: Post<M>, shallow: boolean): Post<M> {
  return (message, transfer) => refusing(() => post(shallow ? readable(message, transfer) : message, transfer));
}

/** Ends a worker that cannot read a message: the calls in it would have no answer. */
export function endAsUnreadable(cause: unknown): never {
  throw new Error("A message to this worker could not be read", { cause });
}

/** Sends something. What a runtime says in other words, of what cannot be cloned, becomes a DataCloneError. */
export function refusing<T>(send: () => T): T {
  try {
    return send();
  } catch (error) {
    if (error instanceof RangeError && /call stack/.test(error.message)) throw tooDeep();
    // So Node (24) says it of a process's message, and all of an error whose message is a symbol.
    const refused = error instanceof Error &&
      /^(?:.* could not be cloned\.|Cannot convert a symbol .*)$/i.test(error.message);
    throw refused ? new DOMException(error.message, "DataCloneError") : error;
  }
}

function readable<M extends ToWorker | FromWorker>(message: M, transfer: Transferable[] | undefined): M {
  const values = valuesOf(message);
  if (values === undefined || isShallow(values)) return message;
  // What is moved cannot be copied before: then what a getter gives may be too deep.
  const sent = transfer ? assertShallow(values) : toSend(values, lookForDepth);
  return sent === values ? message : withValues(message, sent);
}

/** Whether a glance tells that the values are not deep. */
function isShallow(values: readonly unknown[]): boolean {
  try {
    return glance(values, isPlain, isWhole, CAREFUL);
  } catch {
    return false; // a Proxy has thrown
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

// A long array in another property of a long array, and so on a thousand times: nobody has that.
function isWhole(array: unknown[]): boolean {
  return array.length > FEW || Object.keys(array).length === array.length;
}

/**
 * Copies a value as a thread's line would.
 *
 * @param value Any value.
 * @returns The copy.
 * @throws {DOMException} a DataCloneError, when it cannot cross.
 */
export function cloneForThread(value: unknown): unknown {
  return isSimple(value) ? value : assertShallow([structuredClone(value)])[0];
}

function hasOthers(array: unknown[]): boolean {
  return !isWhole(array);
}

function assertShallow<V extends readonly unknown[]>(values: V): V {
  if (!walk(values, lookForDepth, DEEPEST)) throw tooDeep();
  return values;
}

function lookForDepth(part: unknown): readonly unknown[] {
  if (typeof part !== "object" || part === null) return [];
  try {
    const prototype = Object.getPrototypeOf(part);
    if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) {
      return partsOf(part, hasOthers);
    }
    if (ArrayBuffer.isView(part)) return [];
    if (part instanceof Map) return partsOfMap(part);
    if (part instanceof Set) return partsOfSet(part);
    return part instanceof Error ? partsOfError(part) : partsOf(part, hasOthers);
  } catch {
    return []; // a Proxy, which the line refuses
  }
}

function tooDeep(): DOMException {
  return new DOMException("What is nested so deep cannot be sent to a worker, nor come from one", "DataCloneError");
}
