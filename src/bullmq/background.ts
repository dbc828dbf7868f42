// Promises that nobody waits for: each has an owner, which is told when it fails. tests/package/promises_test.ts finds the others.

/**
 * Lets work go on by itself.
 *
 * @param work The work.
 * @param onError Called with its error.
 */
export function background(work: Promise<unknown>, onError: (error: unknown) => void): void {
  work.catch(onError);
}
