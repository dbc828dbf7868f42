// Writes failures that belong to no caller to the console; nothing else in src/ writes there.

import { inspect } from "./runtime.ts";

/** Characters that a terminal obeys instead of showing them, but for line feeds and tabs, which are harmless. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

const UNSHOWABLE = "something that cannot be shown";

/**
 * Reports an error that cannot be thrown to anybody. Texts of tasks in it are shown, and have no other effect.
 *
 * @param what What went wrong, as the start of a sentence: "Exception calling".
 * @param subject What it concerns, the end of the sentence.
 * @param error The error, or an explanation.
 */
export function report(what: string, subject: unknown, error: unknown): void {
  const shown = typeof error === "string" ? error : shownAs(error), harmless = shownSafely(shown);
  // console.error() takes its first argument for a format, in which "%%" prints a percent sign.
  const title = shownSafely(`concurrent.futures: ${what} ${textOf(subject)}:`).replaceAll("%", "%%");
  // deno-lint-ignore no-console
  console.error(title, shown === harmless && shown !== UNSHOWABLE ? error : harmless);
}

/** What the console would write. It may call functions that the program has defined for that, which may throw. */
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
