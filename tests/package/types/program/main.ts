// deno-lint-ignore-file no-console -- a program prints
// Uses the types of every entry point as an application does. It is compiled, never run, and by the oldest library that the
// package promises: no `await using`. A line marked with `@ts-expect-error` must not compile.

import {
  asCompleted,
  type CallOptions,
  type ExecutorOptions,
  type Future,
  type Group,
  type Movable,
  ProcessPoolExecutor,
  type StreamIterator,
  taskModule,
  ThreadPoolExecutor,
  wait,
  WorkerLostError,
} from "@concurrent/futures";
import { ProcessPoolExecutor as FromProcess } from "@concurrent/futures/process";
import { task, transfer } from "@concurrent/futures/task";
import { type Executor, ThreadPoolExecutor as FromThread } from "@concurrent/futures/thread";
import { currentTask } from "@concurrent/futures/worker";

export const add = task("file:///sums.js", function add(a: number, b: number): number {
  return a + b;
});

const parse = task("file:///parser.js", async function* parse(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield line.trim();
});

async function* lines(): AsyncGenerator<string> {
  yield await Promise.resolve("a line");
}

interface Parser {
  parse(lines: AsyncIterable<string>): AsyncGenerator<string>;
}

interface Words {
  reverse(text: string): string;
}

export async function use(executor: Executor): Promise<void> {
  const doubled: Future<number> = executor.submit((n: number) => n * 2, 21);
  const sum: number = await executor.submit(add, 1, 2);
  const reversed: Future<string> = executor.submit(taskModule<Words>("file:///words.js").reverse, "abc");
  for await (const n of executor.map(add, [1, 2], [10, 20])) console.log(n.toFixed(), sum);
  for await (const future of asCompleted([doubled, doubled])) console.log((await future).toFixed());
  const { done } = await wait([doubled, reversed]);
  const error: unknown = await doubled.exception();
  if (error instanceof WorkerLostError) console.log(done.size, error.exitCode);

  // What is moved: everywhere a buffer, and what the library or @types/node has.
  const bytes = new Uint8Array(1), { port1 } = new MessageChannel();
  const moved: readonly Movable[] = [bytes.buffer, port1];
  console.log(transfer(bytes, moved).length, transfer({}, [new ReadableStream()]));
  // @ts-expect-error a view is not moved
  transfer(bytes, [bytes]);

  // Options that may be missing, which exactOptionalPropertyTypes would refuse.
  const workers: number | undefined = currentTask().attempt > 1 ? 2 : undefined;
  const options: ExecutorOptions = { maxWorkers: workers, name: undefined };
  const call: CallOptions = { timeout: workers, signal: currentTask().signal };
  for (const Class of [ThreadPoolExecutor, ProcessPoolExecutor, FromThread, FromProcess]) {
    await new Class(options).with(call).submit(add, 1, 2);
  }

  // Groups: by hand here, as there is no `await using`.
  const group: Group = executor.group({ signal: currentTask().signal });
  const inGroup: Future<number> = group.with(call).submit(add, 1, 2);
  for await (const n of group.map(add, [1], [2])) console.log(n.toFixed(), group.signal.aborted);
  await group[Symbol.asyncDispose]();
  const total: number = await executor.group(async (group) =>
    await inGroup + await group.on(executor).submit(add, 1, 2)
  );
  const inside: string = await executor.group({}, (group) => group.group(() => total.toFixed()));
  console.log(inside.length);
  // @ts-expect-error a block gets a group, not a number
  executor.group((group: number) => group);
  // @ts-expect-error the block is the last argument
  executor.group(() => 1, { signal: currentTask().signal });
  // @ts-expect-error a group is not shut down
  group.shutdown();
  // @ts-expect-error there is no such option
  executor.group({ timeout: 1 });
  // What a generator yields, and what a task reads of the program.
  const yielded: AsyncIterableIterator<number> = executor.stream(function* (to: number) {
    for (let n = 0; n < to; n++) yield n;
  }, 3);
  for await (const n of yielded) console.log(n.toFixed());
  const parsed: StreamIterator<string> = executor.stream(parse, lines());
  for await (
    const line of executor.with({ buffersize: 64 }).stream(taskModule<Parser>("file:///p.js").parse, lines())
  ) {
    console.log(line.toUpperCase(), await parsed.next());
  }
  for await (const n of executor.stream((n: number) => [Promise.resolve(n)], 1)) console.log(n.toFixed());
  // @ts-expect-error a number cannot be iterated
  executor.stream(add, 1, 2);
  // @ts-expect-error its argument is an iterable of texts
  executor.stream(parse, [1, 2]);
  // @ts-expect-error it yields texts
  const numbers: AsyncIterableIterator<number> = executor.stream(parse, lines());
  console.log(numbers);

  // @ts-expect-error the second number is a string
  executor.submit(add, 1, "2");
  // @ts-expect-error there is no such option
  new ThreadPoolExecutor({ workers: 2 });
}
