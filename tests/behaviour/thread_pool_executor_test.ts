// All behaviours with threads, and those that only threads have.

import { assert, assertEquals, assertNotStrictEquals, assertRejects } from "@std/assert";
import { readFileSync } from "node:fs";
import { transfer } from "../../mod.ts";
import { behaviour, type Kind } from "./behaviour.ts";
import { executorCases } from "./executor_cases.ts";
import { THREADS } from "./kinds.ts";
import { assertError } from "../support/assert_error.ts";

executorCases(THREADS, threadCases);

function threadCases(kind: Kind): void {
  behaviour(kind, " can be imported where there are no processes [P21, test_import_interpreter_pool_executor]", () => {
    const reached = modulesOf(new URL("../../src/thread/thread_pool_executor.ts", import.meta.url));
    assert([...reached].some((url) => url.includes("/src/thread/")));
    assertEquals([...reached].filter((url) => url.includes("/src/process/")), []);
  });

  behaviour(kind, ".submit() moves what transfer() marks, there and back", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const module = new URL("../../mod.ts", import.meta.url).href;
    for (let round = 0; round < 2; round++) { // to a starting worker, then to an idle one
      const bytes = new Uint8Array([1, 2, 3]);
      const result = await executor.submit(
        async (bytes: Uint8Array, module: string) => {
          const { transfer } = await import(module);
          return transfer({ bytes: bytes.map((byte) => byte * 2), was: bytes.length }, [bytes.buffer]);
        },
        transfer(bytes, [bytes.buffer]),
        module,
      );
      assertEquals([bytes.length, result.was, [...result.bytes]], [0, 3, [2, 4, 6]]);
    }
  });

  behaviour(kind, ".submit() moves a MessagePort to a task, which can talk through it", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 1 });
    const { port1, port2 } = new MessageChannel();
    const heard = new Promise((resolve) => port1.onmessage = ({ data }) => resolve(data));
    await executor.submit((port: MessagePort) => {
      port.postMessage("from the task");
      port.close();
    }, transfer(port2, [port2]));
    assertEquals(await heard, "from the task");
    port1.close();
  });

  behaviour(
    kind,
    ".submit() rejects when the same buffer is transferred twice, and harms no neighbour [X4]",
    async (Executor) => {
      await using executor = new Executor({ maxWorkers: 1 });
      const length = (bytes: Uint8Array) => bytes.length;
      const bytes = new Uint8Array(8);
      const first = executor.submit(length, transfer(bytes, [bytes.buffer]));
      const second = executor.submit(length, transfer(bytes, [bytes.buffer]));
      const third = executor.submit(length, new Uint8Array(3));
      assertEquals(await first, 8);
      assertError(await assertRejects(() => second.result()), { name: "DataCloneError" });
      assertEquals(await third, 3);
    },
  );

  behaviour(kind, ".submit() shares a SharedArrayBuffer", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const count = (counter: Int32Array) => void Atomics.add(counter, 0, 1);
    await Promise.all(Array.from({ length: 100 }, () => executor.submit(count, counter)));
    assertEquals(counter[0], 100);
  });

  behaviour(kind, " runs tasks that block each other through shared memory [test_blocking]", async (Executor) => {
    await using executor = new Executor({ maxWorkers: 2 });
    const word = new Int32Array(new SharedArrayBuffer(4));
    const waiting = executor.submit((word: Int32Array) => Atomics.wait(word, 0, 0, 20_000), word);
    const waking = executor.submit((word: Int32Array) => {
      Atomics.store(word, 0, 1);
      return Atomics.notify(word, 0);
    }, word);
    await waking;
    assertNotStrictEquals(await waiting, "timed-out");
  });
}

/** Lists the modules of this project that loading a module loads. */
function modulesOf(module: URL, found: Set<string> = new Set()): Set<string> {
  if (found.has(module.href)) return found;
  found.add(module.href);
  const imports = readFileSync(module, "utf8").matchAll(/^(?:import|export|\}) (?!type)[^;]*?from "(\.[^"]+)"/gm);
  for (const [, path] of imports) modulesOf(new URL(path!, module), found);
  return found;
}
