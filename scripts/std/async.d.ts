// Types of the stand-in for @std/async: those of the package itself.

export function delay(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T>;
export function deadline<T>(promise: Promise<T>, ms: number, options?: { signal?: AbortSignal }): Promise<T>;
