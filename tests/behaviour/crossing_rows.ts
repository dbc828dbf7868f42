// The rows of the table in docs/values.md of what can cross: values to be tried, and what to call what arrives.

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { type Executor, Future, ThreadPoolExecutor, transfer } from "../../mod.ts";
import { runtime } from "../support/runtime.ts";

/** A row: values, and what to call it when one arrives (default: "copied" when it is equal). */
export interface Row {
  /** Made anew each time. A worker makes them by its source, too. */
  readonly values: () => unknown[] | Promise<unknown[]>;
  /** Made only here, as they need what is here: they are not tried as results of their own. */
  readonly here?: true;
  readonly see?: (arrived: unknown, sent: unknown) => string;
}

class Point {
  readonly x = 1;
  readonly y = 2;
}

class TooHot extends RangeError {
  readonly degrees = 100;
}

/** What arrived of an error in a value. */
const seeError = (arrived: unknown, sent: unknown): string => {
  if (!(arrived instanceof Error) || !(sent instanceof Error)) return typeof arrived;
  const kept = [];
  if (Object.getPrototypeOf(arrived) === Object.getPrototypeOf(sent)) kept.push("class");
  if (arrived.message === sent.message) kept.push("message");
  if (arrived.cause instanceof RangeError) kept.push("cause");
  return kept.join(", ");
};

interface Link {
  readonly next: Link | undefined;
}

/** A list of so many links. */
function links(count: number): Link | undefined {
  let list: Link | undefined;
  for (let n = 0; n < count; n++) list = { next: list };
  return list;
}

const seeLinks = (arrived: unknown, sent: unknown): string => {
  let [here, there] = [sent, arrived] as [Link | undefined, Link | undefined];
  while (here && there) [here, there] = [here.next, there.next];
  return here === there ? "copied" : "damaged";
};

export const rows: Readonly<Record<string, Row>> = {
  "`undefined`, `null`, booleans, bigints, strings, numbers (`-0`, `NaN` too)": {
    values: () => [undefined, null, true, false, 2n ** 70n, "", "\u{1f600}\ud800", 0, -0, NaN, -Infinity, 1.5],
  },
  "Plain objects, arrays (holes stay holes)": {
    values: () => [{}, { a: undefined, b: { "": [1] } }, [], [1, , 3]],
  },
  "Other properties of an array": {
    values: () => [Object.assign([1], { more: 2 })],
    see: (arrived) =>
      isDeepStrictEqual(arrived, Object.assign([1], { more: 2 }))
        ? "copied"
        : isDeepStrictEqual(arrived, [1])
        ? "left out"
        : "damaged",
  },
  "The same, if they cannot be copied": {
    values: () => [Object.assign([1], { more: () => 2 }), Object.assign(Array(1000).fill(1), { more: Symbol("a") })],
    see: (arrived) => isDeepStrictEqual(arrived, [...arrived as unknown[]]) ? "left out" : "damaged",
  },
  "Sparse arrays (`a[1_000_000] = 1`)": {
    values: () => [Object.assign([], { 1_000_000: 1 })],
    see: (arrived) =>
      (arrived as unknown[]).length === 1_000_001 && Object.keys(arrived as object).length === 1 ? "copied" : "damaged",
  },
  "`Map`, `Set`, `Date`, `RegExp`, boxed primitives": {
    values: () =>
      [new Map([[{ a: 1 }, new Set([1, "1"])]]), new Date(5), new Date(NaN), /a(?<b>.)/giu].concat(
        [Object(1), Object("a"), Object(true), Object(1n)],
      ),
  },
  "Cycles, and one object in two places of a value": {
    values: () => {
      const cycle: Record<string, unknown> = {}, twice = { a: 1 };
      cycle.self = cycle;
      return [cycle, [twice, twice]];
    },
    see: (arrived) => {
      const [first, second] = Array.isArray(arrived) ? arrived : [arrived, (arrived as { self: unknown }).self];
      return first === second ? "copied" : "several copies";
    },
  },
  "Lists of 1,000 links": { values: () => [links(1000)], here: true, see: seeLinks },
  "Lists of 100,000 links": { values: () => [links(100_000)], here: true, see: seeLinks },
  "`ArrayBuffer` (resizable too), typed arrays, `DataView`": {
    values: () => [
      new Uint8Array([1, 2, 3]).buffer,
      // @ts-ignore: not in every library that checks this
      new ArrayBuffer(4, { maxByteLength: 8 }),
      new Uint8Array([1, 255]),
      new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
      new Float64Array([NaN, -0]),
      new BigInt64Array([-1n]),
      new DataView(new ArrayBuffer(2)),
    ],
  },
  "`ArrayBuffer` in `transfer()`": {
    values: () => {
      const bytes = new Uint8Array([1, 2]);
      return [transfer(bytes, [bytes.buffer])];
    },
    here: true,
    see: (arrived, sent) => {
      if (!isDeepStrictEqual([...arrived as Uint8Array], [1, 2])) return "damaged";
      return (sent as Uint8Array).length === 0 ? "moved" : "copied";
    },
  },
  "`SharedArrayBuffer`, and views of one": {
    values: () => [new SharedArrayBuffer(4), new Int32Array(new SharedArrayBuffer(4))],
    here: true,
    see: (arrived, sent) => {
      const [here, there] = [sent, arrived].map((value) =>
        new Uint8Array(ArrayBuffer.isView(value) ? value.buffer : value as SharedArrayBuffer)
      );
      there![0] = 7;
      return here![0] === 7 ? "shared" : "copied";
    },
  },
  "`Buffer` of Node": { values: () => [Buffer.from("ab")], here: true, see: copiedOrClass },
  "Instances of a class": {
    values: () => [new Point()],
    here: true,
    see: (arrived) => isDeepStrictEqual(arrived, { x: 1, y: 2 }) ? "plain object" : "damaged",
  },
  "Instances of a class with `Symbol.toStringTag`": {
    values: () => [
      new (class Price {
        amount = 5;
        get [Symbol.toStringTag]() {
          return "Price";
        }
      })(),
    ],
    see: (arrived) => isDeepStrictEqual(arrived, { amount: 5 }) ? "plain object" : "damaged",
  },
  "Getters": {
    values: () => {
      let calls = 0;
      return [{
        get next() {
          return ++calls > 1 ? () => {} : "first";
        },
      }];
    },
    see: (arrived) => isDeepStrictEqual(arrived, { next: "first" }) ? "value, asked once" : "damaged",
  },
  "Arrays, `Map`s and `Set`s with an iterator of their own": {
    values: () =>
      [[1, 2], new Map([[1, 2]]), new Set([1])].map((list) =>
        Object.defineProperty(list, Symbol.iterator, {
          value() {
            throw new Error("It was called");
          },
        })
      ),
    see: (arrived) =>
      [[1, 2], new Map([[1, 2]]), new Set([1])].some((list) => isDeepStrictEqual(arrived, list)) ? "copied" : "damaged",
  },
  "Errors of a built-in class": {
    values: () => [new TypeError("message", { cause: new RangeError("cause") })],
    here: true,
    see: seeError,
  },
  "Errors of a class that extends a built-in one": {
    values: () => [new TooHot("message")],
    here: true,
    see: (arrived) =>
      Object.getPrototypeOf(arrived) === RangeError.prototype && (arrived as Error).message === "message"
        ? "that built-in class"
        : "damaged",
  },
  "`DOMException`": {
    values: () => [new DOMException("message", "AbortError")],
    see: (arrived) =>
      arrived instanceof DOMException && arrived.name === "AbortError" && arrived.message === "message"
        ? "copied"
        : "damaged",
  },
  "Functions, classes, symbols": { values: () => [() => 1, class {}, Symbol("a"), { deep: [Symbol.iterator] }] },
  "`Promise`, `WeakMap`, `WeakRef`, generators": {
    // A promise that is a result is awaited.
    values: () => [[Promise.resolve(1)], new WeakMap(), new WeakRef({}), (function* () {})()],
  },
  "`Proxy` of a plain object": { values: () => [new Proxy({ a: 1 }, {})] },
  "Executors and Futures": {
    values: () => [new ThreadPoolExecutor(), new Future(), { inside: [new Future()] }],
    here: true,
  },
  "`Blob`": {
    values: () => [new Blob(["ab"], { type: "image/png" })],
    see: (arrived) =>
      arrived instanceof Blob && arrived.size === 2 && arrived.type === "image/png" ? "copied" : "damaged",
  },
  "`URL`, `URLSearchParams`, `Headers`, `Request`, `Response`, `FormData`": {
    values: () => [
      ...[new URL("http://localhost/"), new URLSearchParams("a=1"), new Headers({ a: "b" })],
      ...[new Request("http://localhost/"), new Response("a"), new FormData()],
    ],
  },
  "`AbortSignal`, `Event`, `EventTarget`, `TextEncoder`": {
    values: () => [new AbortController().signal, new Event("a"), new EventTarget(), new TextEncoder()],
  },
  "`MessagePort`": { values: () => [ports().port1], here: true },
  "`MessagePort` in `transfer()`": {
    values: () => {
      const { port1 } = ports();
      return [transfer({ port1 }, [port1])];
    },
    here: true,
    see: (arrived) => arrived === "MessagePort" ? "moved" : String(arrived),
  },
  "`ReadableStream`, `WritableStream`, `TransformStream`": {
    values: () => [new ReadableStream(), new WritableStream(), new TransformStream()],
  },
  "The same streams in `transfer()`": {
    values: () =>
      [new ReadableStream(), new WritableStream(), new TransformStream()].map((stream) =>
        transfer({ stream }, [stream])
      ),
    here: true,
    see: (arrived) => /^(Readable|Writable|Transform)Stream$/.test(String(arrived)) ? "moved" : String(arrived),
  },
  "`Intl` objects, `WebAssembly.Memory`": {
    values: () => [new Intl.NumberFormat(), new Intl.Collator(), new WebAssembly.Memory({ initial: 1 })],
  },
  "`WebAssembly.Module`": {
    values: () => [new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))],
    see: copiedOrClass,
  },
  "`CryptoKey`": {
    values: async () => [await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"])],
    see: copiedOrClass,
  },
};

/** Rows of which the worker says what arrived, as it cannot come back: name the class of the value inside. */
const ONE_WAY: ReadonlySet<string> = new Set([
  "`MessagePort` in `transfer()`",
  "The same streams in `transfer()`",
  "`CryptoKey`",
]);

/** Sends a value to a worker and back, and says what became of it. */
export async function send(executor: Executor, name: string, row: Row, value: unknown): Promise<string> {
  try {
    if (ONE_WAY.has(name)) {
      const kind = await executor.submit((value: object) => {
        const [inner] = Object.getPrototypeOf(value) === Object.prototype ? Object.values(value) : [value];
        return inner.constructor.name as string;
      }, value as object);
      return name === "`CryptoKey`" ? (kind === "CryptoKey" ? "copied" : kind) : see(row, kind, value);
    }
    return see(row, await executor.submit((value: unknown) => value, value), value);
  } catch (error) {
    return (error as Error).name === "DataCloneError" ? "error" : String(error);
  }
}

/** Has a worker make the n-th value of a row and send it here. */
export async function receive(executor: Executor, row: Row, n: number): Promise<string> {
  try {
    const arrived = await executor.submit(
      async (source: string, n: number) => {
        const evaluate = eval;
        return (await evaluate(`(${source})`)())[n];
      },
      row.values.toString(),
      n,
    );
    return see(row, arrived, (await row.values())[n]);
  } catch (error) {
    return (error as Error).name === "DataCloneError" ? "error" : String(error);
  }
}

function see(row: Row, arrived: unknown, sent: unknown): string {
  if (row.see) return row.see(arrived, sent);
  if (isDeepStrictEqual(arrived, structuredCloneOr(sent))) return isEmptied(arrived, sent) ? "`{}`" : "copied";
  // A view's buffer may be larger than itself.
  if (ArrayBuffer.isView(arrived) && ArrayBuffer.isView(sent)) return copiedOrClass(arrived, sent);
  return isEmptied(arrived, sent) ? "`{}`" : "damaged";
}

function structuredCloneOr(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}

/** A platform's object became one without anything. */
function isEmptied(arrived: unknown, sent: unknown): boolean {
  return typeof arrived === "object" && arrived !== null && Object.getPrototypeOf(arrived) === Object.prototype &&
    Object.getPrototypeOf(sent) !== Object.prototype && Reflect.ownKeys(arrived).length === 0;
}

/** "copied", or the name of the class that it has now. */
function copiedOrClass(arrived: unknown, sent: unknown): string {
  if (ArrayBuffer.isView(arrived) && ArrayBuffer.isView(sent)) {
    const bytes = [arrived, sent].map((view) => [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]);
    if (!isDeepStrictEqual(bytes[0], bytes[1])) return "damaged";
  }
  const [here, there] = [sent, arrived].map((value) => (value as object).constructor.name);
  return here === there ? "copied" : `\`${there}\``;
}

/** A channel whose ports keep nothing alive. */
function ports(): MessageChannel {
  const channel = new MessageChannel();
  for (const port of [channel.port1, channel.port2]) (port as { unref?(): void }).unref?.();
  return channel;
}

/** The cells for threads and processes, by the first cell. */
export function readTable(): Map<string, string[]> {
  const page = readFileSync(new URL("../../docs/values.md", import.meta.url), "utf8");
  const lines = page.split("<!-- crossing:begin -->")[1]!.split("<!-- crossing:end -->")[0]!.trim().split("\n");
  return new Map(
    lines.slice(2).map((line) => {
      const [first, ...cells] = line.split("|").slice(1, -1).map((cell) => cell.trim());
      return [first!, cells];
    }),
  );
}

/** "error; Deno: `{}`" is `{}` on Deno and an error elsewhere. */
export function cellFor(cell: string): string {
  const [general, ...exceptions] = cell.split("; ");
  const own = exceptions.map((exception) => exception.split(": ")).find(([name]) => name!.toLowerCase() === runtime);
  return own ? own[1]! : general!;
}
