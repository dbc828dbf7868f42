// Deno's permissions for a worker process: what the program has, and never more. `child_process.fork()` of Deno (2.9)
// would give it all.

interface Permissions {
  querySync(descriptor: { name: string }): { state: string; partial: boolean };
}

const KINDS = ["read", "write", "net", "env", "sys", "run", "ffi", "import"];

/**
 * The flags that give a process the permissions of this one. A permission that this program has only in part (for some
 * paths or hosts) cannot be listed, so the worker does without it.
 *
 * @returns Flags of `deno run`.
 */
export function permissionFlags(): string[] {
  const { permissions } = (globalThis as unknown as { Deno: { permissions: Permissions } }).Deno;
  const granted = KINDS.filter((name) => {
    const { state, partial } = permissions.querySync({ name });
    return state === "granted" && !partial;
  });
  return granted.length === KINDS.length ? ["--allow-all"] : granted.map((name) => `--allow-${name}`);
}
