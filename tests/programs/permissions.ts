// Prints what a worker with certain permissions may do: permissions.ts <executor> <permissions as JSON>

import process from "node:process";
import { Executor, print } from "./executor.ts";

// deno-lint-ignore no-explicit-any
await using executor = new Executor({ maxWorkers: 1, permissions: JSON.parse(process.argv[3]!) } as any);

// Inline: a module could not be loaded without the permission to read it.
const granted = () => {
  const { Deno } = globalThis as unknown as {
    Deno: { permissions: { querySync(query: { name: string }): { state: string; partial: boolean } } };
  };
  return ["read", "write", "net", "env", "sys", "run", "ffi"].filter((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  });
};

await executor.submit(granted).then(
  (names) => print(`granted: ${names.join(" ")}`),
  (error) => print(`${(error as Error).name}: ${((error as Error).cause as Error).message}`),
);
