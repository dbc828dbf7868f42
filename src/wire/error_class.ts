// The type of the error classes that errors are made of again.

/** The constructor of an error class; its instances are made without calling it. */
// deno-lint-ignore no-explicit-any
export type ErrorConstructorLike = abstract new (...args: any[]) => Error;
