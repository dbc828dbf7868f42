// deno-lint-ignore-file no-console -- a program prints
// Uses the package as an application in plain JavaScript does: `node main.js thread` or `node main.js process`.

import assert from "node:assert/strict";
import process from "node:process";
import { asCompleted, taskModule, wait } from "@concurrent/futures";
import { ProcessPoolExecutor } from "@concurrent/futures/process";
import { ThreadPoolExecutor } from "@concurrent/futures/thread";
import { countCalls, shout } from "./words.js";

const Executor = { thread: ThreadPoolExecutor, process: ProcessPoolExecutor }[process.argv[2]];
const executor = new Executor({ maxWorkers: 2 });

// The three kinds of task.
assert.equal(await executor.submit((n) => n * 2, 21), 42);
assert.equal(await executor.submit(shout, "hello"), "HELLO!");
const words = taskModule(new URL("./words.js", import.meta.url));
assert.equal(await executor.submit(words.reverse, "abc"), "cba");

// A worker's module has state of its own: this program's is untouched.
assert.ok(await executor.submit(countCalls) >= 1);
assert.equal(countCalls(), 1);

// A task's error is its Future's alone.
const failing = executor.submit(words.fail, "too far");
await assert.rejects(failing, { name: "RangeError", message: "too far" });
assert.ok(await failing.exception() instanceof RangeError);

// Many calls at once.
const squares = [];
for await (const square of executor.map((n) => n * n, [1, 2, 3, 4])) squares.push(square);
assert.deepEqual(squares, [1, 4, 9, 16]);

const futures = [3, 1, 2].map((n) => executor.submit((n) => n, n));
const { done, notDone } = await wait(futures);
assert.deepEqual([done.size, notDone.size], [3, 0]);
let sum = 0;
for await (const future of asCompleted(futures)) sum += await future;
assert.equal(sum, 6);

// What can be cloned arrives as it was sent.
const value = { map: new Map([[1, new Set([2n])]]), date: new Date(0), bytes: new Uint8Array([1, 2, 3]) };
assert.deepEqual(await executor.submit((value) => value, value), value);

await executor.shutdown();
assert.throws(() => executor.submit(() => 1), { name: "ShutdownError" });
console.log("all is well");
