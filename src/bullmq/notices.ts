// What concerns no call: one line for each cause, and again only when it changes.

import { report } from "../report.ts";

/** Who is told, as options have it. */
interface NoticeHooks {
  readonly log?: ((line: string) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Tells what happens between a program and Redis. */
export class Notices {
  readonly #what: string;
  readonly #name: string;
  readonly #hooks: NoticeHooks;
  /** The cause that was told last of each subject. */
  readonly #told = new Map<string, string>();

  /**
   * @param what What tells, as the start of a line: "Host".
   * @param name Its name.
   * @param hooks Who is told; the console if nobody is.
   */
  constructor(what: string, name: string, { log, onError }: NoticeHooks = {}) {
    this.#what = what;
    this.#name = name;
    this.#hooks = { log, onError };
  }

  /** What was told of a subject is over: the same is told again when it comes again. */
  over(subject = "Redis"): void {
    this.#told.delete(subject);
  }

  /** Tells something once more. */
  line(text: string): void {
    if (!this.#hooks.log) report(this.#what, this.#name, text);
    else this.#call("log", `${this.#what} ${this.#name}: ${text}`);
  }

  /**
   * Tells an error, unless it is the one that was told last of this subject.
   *
   * @param error The error.
   * @param subject What it concerns.
   */
  error(error: unknown, subject = "Redis"): void {
    const text = causeOf(error), cause = codeOf(error) ?? text;
    if (this.#told.get(subject) === cause) return;
    this.#told.set(subject, cause);
    this.line(text);
    this.#call("onError", error);
  }

  #call(name: keyof NoticeHooks, value: unknown): void {
    try {
      this.#hooks[name]?.(value as string);
    } catch (error) {
      report("Exception calling", name, error);
    }
  }
}

/** How long a program has waited for Redis, and what it has left, as a sentence. */
export function leftBehind(timeout: number, left: readonly string[]): string {
  return `ended without Redis, which did not answer for ${timeout} ms${left.length > 0 ? `; ${left.join(", ")}` : ""}`;
}

/** Names of errors that say nothing. */
const PLAIN: ReadonlySet<string> = new Set(["Error", "ReplyError", "BrokenExecutor"]);

/** The code of an error that Redis has answered with: the rest names the command, which may be another one each time. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && error.name === "ReplyError"
    ? /^(?!ERR )[A-Z]+(?= )/.exec(error.message)?.[0]
    : undefined;
}

/** One line on an error: its name if it says something, and its message. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What a script adds, and how often ioredis (6.0) has tried, are no causes.
  const [message = ""] = error.message.replace(/ script: [0-9a-f]{40}, on @.*$/s, "")
    .replace(/ Retrying from scratch after \d+ms\./, "").split("\n");
  if (message === "") return String((error as { code?: unknown }).code ?? error.name);
  return PLAIN.has(error.name) ? message : `${error.name}: ${message}`;
}
