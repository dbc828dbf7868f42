// Loads what ./package.json names: installed when the benchmarks are run, and so unknown to whoever only checks types.

/** The package's module. */
// deno-lint-ignore no-explicit-any
export function load(name: string): Promise<any> {
  return import(name);
}

/** A file beside this one, as a URL. */
export function here(file: string): URL {
  return new URL(file, import.meta.url);
}
