// Programs that were compiled into an executable. There, `process.execPath` is the program and not the runtime: starting it
// as a worker starts the program once more, which does the same.

/** What the runtimes tell about a compiled program. */
export interface Runtimes {
  readonly Deno?: { readonly build: { readonly standalone?: boolean } };
  readonly Bun?: { readonly isStandaloneExecutable?: boolean; readonly main: string };
  readonly process?: {
    getBuiltinModule?(name: "node:sea"): { isSea(): boolean } | undefined;
  };
}

/**
 * Checks that worker processes can be started.
 *
 * @throws {Error} when the program was compiled into an executable.
 */
export function assertNotCompiled(runtimes: Runtimes = globalThis as Runtimes): void {
  const how = compiler(runtimes);
  if (how === undefined) return;
  throw new Error(
    `Cannot create ProcessPoolExecutor as this program is compiled into an executable (${how}): ` +
      "each worker process would be the whole program again. Use ThreadPoolExecutor, or run the program from its source",
  );
}

function compiler({ Deno, Bun, process }: Runtimes): string | undefined {
  if (Deno) return Deno.build.standalone ? "deno compile" : undefined;
  // Bun before 1.4 has no such property; the program is in a file system of its own.
  if (Bun) {
    return Bun.isStandaloneExecutable ?? /[/\\](\$bunfs|~BUN)[/\\]/.test(Bun.main) ? "bun build --compile" : undefined;
  }
  // Node before 20.16 cannot tell: there the started program finds out from its arguments (wire/place.ts).
  return process?.getBuiltinModule?.("node:sea")?.isSea() ? "a single executable application of Node" : undefined;
}
