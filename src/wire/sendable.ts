// Checks that a line can carry a value before it is sent: the runtimes report it too late, to the wrong side, or not at all.

import type { FromWorker, ToWorker } from "./messages.ts";
import { FEW, glance, isSimple, partsOf, partsOfError, partsOfMap, partsOfSet, UNKNOWN, walk } from "./parts.ts";

/**
 * How deep a value may be nested for V8 to read it. Writing most values takes less of the stack than reading them, and when
 * the stack is too small for that, Node (24) ends the whole program if a process sent the message, and Deno (2.9) reads nothing
 * more from the thread. Node reads up to some 1,500 nested arrays in other properties of arrays, or 1,600 links of a list; Deno
 * reads half as many again.
 */
const DEEPEST = 1000;

/**
 * Objects of a message to a thread that are checked without calling their getters. For later ones, that would take 15 % of the
 * time of their copy; with their getters called, it takes a third of that.
 */
const CAREFUL = 64;

/** Gets a value that is not simple, and returns its parts, or throws when it cannot be sent. */
export type Look = (part: unknown) => readonly unknown[];

/** The values in a message that tasks get or return. */
export function valuesOf(message: ToWorker | FromWorker): readonly unknown[] | undefined {
  if (message.kind === undefined) return message;
  if (message.kind === "run") return message.calls;
  if (message.kind === "done") return message.results;
  const { kind } = message;
  return kind === "reports" || kind === "yields" || kind === "items" ? message.values : undefined;
}

/** A message with other values in their place. */
export function withValues<M extends ToWorker | FromWorker>(message: M, values: readonly unknown[]): M {
  if (message.kind === undefined) return values as unknown as M;
  return { ...message, [FIELDS[message.kind as keyof typeof FIELDS]]: values };
}

/** Where a message has its values. */
const FIELDS = { run: "calls", done: "results", reports: "values", yields: "values", items: "values" } as const;

/**
 * Prepares values for a line.
 *
 * @param values The values.
 * @param look Checks a value for that line.
 * @param deepest How deep values may be nested on it.
 * @returns The same; or, when there are getters in them, a copy with what these returned. Each is called once.
 * @throws {DOMException} a DataCloneError, when something in them cannot cross.
 * @throws whatever a getter throws.
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
    throw new DOMException("An object that is more than its properties cannot be sent to a worker", "DataCloneError");
  };
  if (!walk(copy, lookOnce, deepest)) throw tooDeep();
  return copy;
}

/** Sends a message through a line. */
type Post<M> = (message: M, transfer?: Transferable[]) => void;

/**
 * Adds checks to the line of a thread. Only depth needs one: the line itself refuses everything else when it gets the value.
 *
 * @param post Sends a message through the line.
 * @param shallow Whether the other side cannot read as deep as this one writes.
 * @returns The same, which also throws a DataCloneError when a value is too deep for the other side.
 */
export function toThread<M extends ToWorker | FromWorker>(post: Post<M>, shallow: boolean): Post<M> {
  return (message, transfer) => {
    if (transfer?.some(isDetached)) throw new DOMException("An ArrayBuffer was moved before", "DataCloneError");
    refusing(() => post(shallow ? readable(message, transfer) : message, transfer));
  };
}

/** Whether a buffer was moved before. Node 20 sends it nevertheless, and the worker ends, as it cannot read the message. */
function isDetached(moved: unknown): boolean {
  if (!(moved instanceof ArrayBuffer)) return false;
  try {
    new Uint8Array(moved);
    return false;
  } catch {
    return true;
  }
}

/** Ends a worker that cannot read a message: the calls in it would never be answered. */
export function endAsUnreadable(cause: unknown): never {
  throw new Error("The worker could not read a message", { cause });
}

/** Sends something. Every error of a runtime about a value that cannot be cloned becomes a DataCloneError. */
export function refusing<T>(send: () => T): T {
  try {
    return send();
  } catch (error) {
    if (error instanceof RangeError && /call stack/.test(error.message)) throw tooDeep();
    // The words of Node (24) for a message to a process, and of all runtimes for an error whose message is a symbol.
    const refused = error instanceof Error &&
      /^(?:.* could not be cloned\.|Cannot convert a symbol .*)$/i.test(error.message);
    throw refused ? new DOMException(error.message, "DataCloneError") : error;
  }
}

function readable<M extends ToWorker | FromWorker>(message: M, transfer: Transferable[] | undefined): M {
  const values = valuesOf(message);
  if (values === undefined || isShallow(values)) return message;
  // Buffers that are moved cannot be copied first: then getters are not called, and may return values that are too deep.
  const sent = transfer ? assertShallow(values) : toSend(values, lookForDepth);
  return sent === values ? message : withValues(message, sent);
}

/** Whether it is quickly clear that the values are not deep. */
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

// A long array counts as one, whatever its other properties: nobody nests long arrays in those, a thousand deep.
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
    return []; // a Proxy has thrown; the line refuses it
  }
}

function tooDeep(): DOMException {
  return new DOMException("A value is nested too deep to be sent to a worker or back", "DataCloneError");
}
