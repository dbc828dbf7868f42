// Inference is part of the product: `deno check` compiles this file, nothing runs it. A line after `@ts-expect-error`
// must not compile, the others must, and `same()` compares two types exactly.

import { Worker as NodeWorker } from "node:worker_threads";
import {
  asCompleted,
  type CallStats,
  type CurrentTask,
  type Executor,
  type ExecutorStats,
  type ExecutorView,
  Future,
  type FutureOutcome,
  type MapIterator,
  ProcessPoolExecutor,
  type StreamIterator,
  type Task,
  task,
  type TaskModule,
  taskModule,
  ThreadPoolExecutor,
  transfer,
  wait,
} from "../../mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles when the two types that `A` and `B` are taken from are the same: `same<A, B>(true)`. */
function same<A, B>(_: Same<A, B>): void {}

function add(a: number, b: number): number {
  return a + b;
}

export const countWords = task(import.meta.url, function countWords(text: string, separator = " "): number {
  return text.split(separator).length;
});

async function* lines(): AsyncGenerator<string> {
  yield await Promise.resolve("a line");
}

interface Parser {
  parse(lines: AsyncIterable<string>): AsyncGenerator<number>;
}

/** A module, as `typeof import(...)` is. */
interface Words {
  count(text: string): number;
  load(url: URL): Promise<string[]>;
  first<T>(items: T[]): T | undefined;
  split(text: string, separator?: string): Promise<string[]>;
  sum(first: number, ...more: number[]): number;
  parse(n: number): number;
  parse(text: string): string;
  readonly limit: number;
}

export function submit(executor: Executor): void {
  // An inline function.
  const doubled = executor.submit((n: number) => n * 2, 21);
  same<typeof doubled, Future<number>>(true);
  same<typeof doubled, Future<string>>(false);
  const later = executor.submit(async (text: string) => await Promise.resolve([text]), "a");
  same<typeof later, Future<string[]>>(true);
  const nothing = executor.submit(() => {});
  same<typeof nothing, Future<void>>(true);
  // @ts-expect-error the number is a string
  executor.submit((n: number) => n * 2, "21");
  // @ts-expect-error the second argument is a string
  executor.submit(add, 1, "2");
  // @ts-expect-error the second argument is missing
  executor.submit(add, 1);
  // @ts-expect-error there is no third argument
  executor.submit(add, 1, 2, 3);
  // @ts-expect-error the options of a call are given by with()
  executor.submit(add, 1, 2, { timeout: 10 });
  // @ts-expect-error not a function
  executor.submit("add", 1, 2);
  // @ts-expect-error a class is not called
  executor.submit(Date, 1);

  // A function of a module.
  same<ReturnType<typeof countWords>, number>(true);
  countWords("a b"); // It stays callable.
  const words = executor.submit(countWords, "a b", " ");
  same<typeof words, Future<number>>(true);
  // @ts-expect-error the text is a number
  executor.submit(countWords, 1, " ");
  // @ts-expect-error not a function
  task(import.meta.url, "countWords");

  // A module that is not loaded here.
  const module = taskModule<Words>(new URL("./words.ts", import.meta.url));
  const count = executor.submit(module.count, "a b");
  same<typeof count, Future<number>>(true);
  const loaded = executor.submit(module.load, new URL("file:///words"));
  same<typeof loaded, Future<string[]>>(true);
  const optional = executor.submit(module.split, "a b");
  same<typeof optional, Future<string[]>>(true);
  const more = executor.submit(module.sum, 1, 2, 3);
  same<typeof more, Future<number>>(true);
  const first = executor.submit(module.first<string>, ["a"]);
  same<typeof first, Future<string | undefined>>(true);
  const last = executor.submit(module.parse, "a"); // as of every overloaded function, the last one
  same<typeof last, Future<string>>(true);
  same<typeof module.count, Task<[text: string], number>>(true);
  same<typeof module.count.name, string>(true);
  same<TaskModule<Words>["split"], Task<[text: string, separator?: string], Promise<string[]>>>(true);
  // A function keeps its type parameters.
  const generic = executor.submit(<T>(items: T[]) => items[0], ["a"]);
  same<typeof generic, Future<string | undefined>>(true);
  const pairs = executor.map(<A, B>(a: A, b: B) => [a, b] as const, [1], ["a"]);
  same<typeof pairs, MapIterator<readonly [number, string]>>(true);
  const settledPairs = executor.map(<A, B>(a: A, b: B) => [a, b] as const, [1], ["a"], { settled: true });
  same<typeof settledPairs, MapIterator<PromiseSettledResult<readonly [number, string]>>>(true);
  const triples = executor.map(<A, B, C>(a: A, b: B, c: C) => [a, b, c] as const, [1], ["a"], [true]);
  same<typeof triples, MapIterator<readonly [number, string, boolean]>>(true);
  const quads = executor.map(<A, B>(a: A, _: B, b: B, __: A) => [a, b] as const, [1], ["a"], ["b"], [2]);
  same<typeof quads, MapIterator<readonly [number, string]>>(true);
  const split = executor.map(module.split, ["a b"], [" "], { chunksize: 2 });
  same<typeof split, MapIterator<string[]>>(true);
  const splitByDefault = executor.map(module.split, ["a b"], { chunksize: 2 });
  same<typeof splitByDefault, MapIterator<string[]>>(true);
  // A task cannot be called, whatever its type.
  // @ts-expect-error it is not loaded here
  module.count("a b");
  // @ts-expect-error it is not loaded here
  module.first(["a"]);
  // @ts-expect-error it is not loaded here
  module.parse("a");
  // @ts-expect-error it is no callback either
  ["a b"].map(module.count);
  // @ts-expect-error an argument is missing
  executor.submit(module.split);
  // @ts-expect-error the second number is a text
  executor.submit(module.sum, 1, "2");
  // @ts-expect-error there is no overload for a boolean
  executor.submit(module.parse, true);
  // @ts-expect-error the text is a number
  executor.submit(module.count, 1);
  // @ts-expect-error there is no such export
  executor.submit(module.missing);
  // @ts-expect-error the export is not a function
  executor.submit(module.limit);

  // A stream gives what a generator yields, awaited.
  const yields = executor.stream(function* (to: number) {
    yield to;
    return "dropped";
  }, 3);
  same<typeof yields, StreamIterator<number>>(true);
  const yieldsLater = executor.with({ buffersize: 3 }).stream(async function* (lines: AsyncIterable<string>) {
    for await (const line of lines) yield { line };
  }, lines());
  same<typeof yieldsLater, StreamIterator<{ line: string }>>(true);
  const promised = executor.stream((n: number) => [Promise.resolve(n), "text"], 1);
  same<typeof promised, StreamIterator<number | string>>(true);
  const ofModule = executor.stream(taskModule<Parser>("file:///p.ts").parse, lines());
  same<typeof ofModule, StreamIterator<number>>(true);
  // @ts-expect-error a number cannot be iterated
  executor.stream(add, 1, 2);
  // @ts-expect-error an argument is missing
  executor.stream(function* (to: number) {
    yield to;
  });
  // @ts-expect-error its input gives texts
  executor.stream(taskModule<Parser>("file:///p.ts").parse, [1].values());
  // @ts-expect-error it is a number
  executor.with({ buffersize: "16" });

  // What is moved has the type it had.
  const bytes = new Uint8Array(8);
  const length = executor.submit((bytes: Uint8Array) => bytes.length, transfer(bytes, [bytes.buffer]));
  same<typeof length, Future<number>>(true);
  // @ts-expect-error text cannot be moved
  transfer("text", ["text"]);
  // @ts-expect-error a view is not moved: its buffer is
  transfer(new Uint8Array(1), [new Uint8Array(1)]);
  transfer({}, [new MessageChannel().port1, new ReadableStream(), new TransformStream(), new ArrayBuffer(1)]);

  // with() has the same API.
  const configured = executor.with({ timeout: 10, signal: AbortSignal.abort(), grace: 0, priority: 1, retries: 2 });
  const urgent = configured.submit(add, 1, 2);
  same<typeof urgent, Future<number>>(true);
  const view: ExecutorView = executor;
  same<ReturnType<typeof view.with>, ExecutorView>(true);
  // @ts-expect-error only the executor itself is shut down
  void configured.shutdown();
  // @ts-expect-error there is no such option
  executor.with({ deadline: 10 });
  // @ts-expect-error milliseconds are a number
  executor.with({ timeout: "10" });
}

export async function map(executor: Executor, lines: AsyncIterable<string>): Promise<void> {
  // One iterable, of any kind.
  for await (const n of executor.map((n: number) => `${n}`, [1, 2])) same<typeof n, string>(true);
  for await (const n of executor.map((n: number) => n, new Set([1]))) same<typeof n, number>(true);
  for await (const n of executor.map(async (text: string) => await Promise.resolve(text.length), lines)) {
    same<typeof n, number>(true);
  }
  for await (const n of executor.map((text: string) => text.length, "text")) same<typeof n, number>(true);
  // @ts-expect-error the items are strings
  executor.map((n: number) => n, ["1"]);
  // @ts-expect-error a number is no iterable
  executor.map((n: number) => n, 1);

  // Two and three.
  for await (const n of executor.map(add, [1], new Set([2]))) same<typeof n, number>(true);
  for await (const n of executor.map((a: string, b: number, c: boolean) => [a, b, c] as const, lines, [1], [true])) {
    same<typeof n, readonly [string, number, boolean]>(true);
  }
  // @ts-expect-error the second items are strings
  executor.map(add, [1], ["2"]);
  // @ts-expect-error the third items are numbers
  executor.map((a: string, b: number, c: boolean) => [a, b, c], lines, [1], [2]);

  // Options come last.
  for await (const n of executor.map(add, [1], [2], { chunksize: 8, buffersize: 2, ordered: false, timeout: 10 })) {
    same<typeof n, number>(true);
  }
  for await (const end of executor.map(add, [1], [2], { settled: true })) {
    same<typeof end, PromiseSettledResult<number>>(true);
  }
  // @ts-expect-error there is no such option
  executor.map(add, [1], [2], { chunkSize: 8 });
  for await (
    const end of executor.map((a, b, c, d) => `${a}${b}${c}${d}`, [1], "b", [true], lines, { settled: true })
  ) {
    same<typeof end, PromiseSettledResult<string>>(true);
  }
  const all = (a: number, b: string, c: boolean, d: string, e: number) => [a, b, c, d, e].length;
  for await (const n of executor.map(all, [1], "b", [true], lines, [5])) same<typeof n, number>(true);
  for await (const n of executor.map(all, [1], "b", [true], lines, [5], { ordered: false })) {
    same<typeof n, number>(true);
  }
  // @ts-expect-error there is no such option
  executor.map(all, [1], "b", [true], lines, [5], { order: false });
  // @ts-expect-error the last items are numbers
  executor.map(all, [1], "b", [true], lines, ["5"], { ordered: false });

  // Tasks.
  const words = taskModule<Words>(new URL("./words.ts", import.meta.url));
  for await (const n of executor.map(words.count, lines)) same<typeof n, number>(true);
  for await (const n of executor.map(words.split, lines, { chunksize: 2 })) same<typeof n, string[]>(true);
  for await (const n of executor.map(words.sum, [1], [2], [3], [4], { settled: true })) {
    same<typeof n, PromiseSettledResult<number>>(true);
  }
  for await (const n of executor.map(<T>(items: T[]) => items[0], [["a"]])) same<typeof n, string | undefined>(true);
  // @ts-expect-error the items are texts
  executor.map(words.count, [1]);
  // @ts-expect-error a size is a number
  executor.map(add, [1], [2], { chunksize: "8" });
}

export async function futures(future: Future<number>, other: Future<string>): Promise<void> {
  const value = await future;
  same<typeof value, number>(true);
  const result = await future.result(10);
  same<typeof result, number>(true);
  const error = await future.exception();
  same<typeof error, unknown>(true);
  const text = future.then((n) => `${n}`);
  same<typeof text, Promise<string>>(true);
  const outcome = future.outcome;
  same<typeof outcome, FutureOutcome<number> | undefined>(true);
  if (outcome?.status === "fulfilled") same<typeof outcome.value, number>(true);
  // @ts-expect-error only a fulfilled future has a value
  outcome?.value;
  future.addDoneCallback((done) => same<typeof done, Future<number>>(true));
  new Future<number>().setResult(1);
  // @ts-expect-error the result is a string
  new Future<number>().setResult("1");

  const { done, notDone } = await wait([future], { timeout: 10, returnWhen: "FIRST_COMPLETED" });
  same<typeof done, Set<Future<number>>>(true);
  same<typeof notDone, Set<Future<number>>>(true);
  // @ts-expect-error there is no such constant
  await wait([future], { returnWhen: "SECOND_COMPLETED" });
  // What is declared to return an AsyncIterableIterator of futures itself has them awaited by TypeScript, not at run time.
  for await (const ended of asCompleted([future])) same<typeof ended, Future<number>>(true);
  for await (const ended of asCompleted([future, other])) await ended;
  // @ts-expect-error a promise is not a Future
  asCompleted([Promise.resolve(1)]);
}

/** A callback for reports names the types that its task reports and returns. */
export function reports(executor: Executor, current: CurrentTask): void {
  executor.with({ onReport: (value: number, future: Future<string>) => [value, future.done()] });
  executor.with({ onReport: (value, future) => same<[typeof value, typeof future], [unknown, Future<unknown>]>(true) });
  executor.with({ onReport() {} });
  executor.with({ onReport: async () => await Promise.resolve() });
  // @ts-expect-error a text is no function
  executor.with({ onReport: "log" });
  // @ts-expect-error the second argument is a Future
  executor.with({ onReport: (_: unknown, future: string) => future });
  // @ts-expect-error there is no third argument
  executor.with({ onReport: (_: unknown, __: Future<unknown>, third: number) => third });
  current.report(1);
  const { report } = current;
  report({ done: 1 });
  // @ts-expect-error there is nothing to report
  current.report();
}

/** What is `undefined` was not given, with `exactOptionalPropertyTypes` too. */
export function undefinedOptions(executor: Executor, future: Future<number>, n?: number, signal?: AbortSignal): void {
  new ThreadPoolExecutor({
    maxWorkers: n,
    idleTimeout: n,
    name: undefined,
    onUnobserved: undefined,
    errorTypes: undefined,
  });
  new ProcessPoolExecutor({ maxTasksPerWorker: n, env: undefined, cwd: undefined, execArgv: undefined });
  executor.with({ timeout: n, grace: n, priority: n, retries: n, retryOn: undefined, onReport: undefined, signal });
  executor.map(add, [1], [2], {
    timeout: n,
    chunksize: n,
    buffersize: n,
    ordered: undefined,
    settled: undefined,
    signal,
  });
  void executor.shutdown({ wait: undefined, cancelFutures: undefined });
  void future.result({ timeout: n, signal });
  void future.exception(n);
  void wait([future], { timeout: n, returnWhen: undefined, signal });
  asCompleted([future], { timeout: n, signal });
  taskModule<Words>("file:///words.ts", { module: undefined });
}

export async function executors(): Promise<void> {
  await using threads = new ThreadPoolExecutor({ maxWorkers: 2, name: "words", idleTimeout: 10, maxTasksPerWorker: 5 });
  const words = taskModule<Words>(new URL("./words.ts", import.meta.url));
  await using _loading = new ThreadPoolExecutor({ initializer: words.load, initargs: [new URL("file:///words")] });
  await using processes = new ProcessPoolExecutor({ initializer: add, initargs: [1, 2], errorTypes: [SyntaxError] });
  const either: Executor[] = [threads, processes];
  for (const executor of either) await executor.shutdown({ wait: false, cancelFutures: true });
  same<ReturnType<typeof threads.stats>, ExecutorStats>(true);
  same<ReturnType<Executor["stats"]>, CallStats>(true);
  same<Executor["maxWorkers"], number>(true);
  const told = threads.broadcast((n: number, text: string) => Promise.resolve(text.repeat(n)), 2, "a");
  same<typeof told, Promise<string[]>>(true);
  // @ts-expect-error the second argument is missing
  void threads.broadcast((n: number, text: string) => text.repeat(n), 2);
  // @ts-expect-error not a number
  threads.resize("2");
  const warm = threads.warmUp();
  same<typeof warm, Promise<void>>(true);
  same<CurrentTask["workerIndex"], number>(true);
  // @ts-expect-error what there are for workers cannot be changed
  threads.maxWorkers = 4;
  same<CurrentTask["signal"], AbortSignal>(true);
  // @ts-expect-error a view is not disposed: its executor is
  await using _limited = threads.with({ timeout: 10 });
  // @ts-expect-error there is no such option
  new ThreadPoolExecutor({ workers: 2 });
  new ThreadPoolExecutor({ worker: () => new Worker(new URL("./my_worker.ts", import.meta.url), { type: "module" }) });
  new ThreadPoolExecutor({ worker: () => new NodeWorker(new URL("./my_worker.ts", import.meta.url)) });
  // @ts-expect-error that is for processes
  new ThreadPoolExecutor({ entry: new URL("./my_worker.ts", import.meta.url) });
  new ProcessPoolExecutor({ entry: new URL("./my_worker.ts", import.meta.url) });
  task(import.meta.url, (n: number) => n, { name: "same", module: "words" });
  // @ts-expect-error a module of tasks has names of its own
  taskModule<Words>("file:///words.ts", { name: "words" });
  // @ts-expect-error a count is a number
  new ProcessPoolExecutor({ maxWorkers: "2" });
  // @ts-expect-error one of the two words
  new ThreadPoolExecutor({ onWorkerLost: "ignore" });
  // @ts-expect-error there is no such option
  await threads.shutdown({ cancel: true });
}
