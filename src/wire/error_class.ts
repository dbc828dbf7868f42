// The type of the option `errorTypes`.

/** The class of an error. Its constructor is never called: errors get the prototype alone. */
// deno-lint-ignore no-explicit-any
export type ErrorConstructorLike = abstract new (...args: any[]) => Error;
