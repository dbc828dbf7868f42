// The one place that writes to the console: failures that belong to no caller.

import { inspect } from "./runtime.ts";

/** What a terminal would obey instead of showing it; a line's end and a tab do no harm. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

const UNSHOWABLE = "something that cannot be shown";

/**
 * Reports an error that cannot be thrown to anybody. Texts of tasks are in it: they are shown, and do nothing.
 *
 * @param what What went wrong, as the start of a sentence.
 * @param subject What it concerns.
 * @param error The error.
 */
export function report(what: string, subject: unknown, error: unknown): void {
  const shown = typeof error === "string" ? error : shownAs(error), harmless = shownSafely(shown);
  // The first argument is a format, of which "%%" is the only sign that takes nothing.
  const title = shownSafely(`concurrent.futures: ${what} ${textOf(subject)}:`).replaceAll("%", "%%");
  // deno-lint-ignore no-console
  console.error(title, shown === harmless && shown !== UNSHOWABLE ? error : harmless);
}

/** What the console would write. It may call what a program has defined for that, and throw. */
function shownAs(value: unknown): string {
  try {
    return inspect(value);
  } catch {
    return UNSHOWABLE;
  }
}

function shownSafely(text: string): string {
  return text.replace(CONTROLS, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return UNSHOWABLE;
  }
}
