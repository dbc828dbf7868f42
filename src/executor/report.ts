// The one place that writes to the console: failures that belong to no caller.

/**
 * Reports an error that cannot be thrown to anybody.
 *
 * @param what What went wrong, as the start of a sentence.
 * @param subject What it concerns.
 * @param error The error.
 */
export function report(what: string, subject: unknown, error: unknown): void {
  // deno-lint-ignore no-console
  console.error(`concurrent.futures: ${what} ${subject}:`, error);
}
