// Runs programs that have some of Deno's permissions and whose executors give some of these to their workers. Then
// both are asked what they may do, and both try it.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { within } from "../support/until.ts";

/** A question to `Deno.permissions.querySync()`. */
export type Question = Readonly<Record<string, string>>;

/** Something that needs a permission and has a result: `[what, with what, with which port]`. */
export type Deed =
  | readonly ["read" | "env" | "run" | "import", string]
  | readonly ["connect", string, number];

/** An executor, as a program makes it. */
export interface Made {
  readonly kind: "threads" | "processes";
  readonly options: Readonly<Record<string, unknown>>;
}

/** The answers that a program or its worker gets, and what it has been able to do. */
export interface Shown {
  readonly answers: readonly string[];
  readonly done: readonly string[];
}

/** What becomes of an executor: its worker answers, it cannot be made, or its worker cannot be started. */
export type Outcome = Shown | { readonly refused: string } | { readonly broken: string };

/** A program, its executors, and what both are asked and try. */
export interface Program {
  readonly flags: readonly string[];
  readonly sets: readonly Made[];
  readonly questions: readonly Question[];
  readonly deeds: readonly Deed[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Makes a folder with files for workers to read, and two commands of the same name: `bin/probe` and `evil/probe`.
 *
 * @param files The files, each of which holds its own path.
 * @returns The folder, by its real path.
 */
export function makePermissionFolder(files: readonly string[]): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "futures-permissions-")));
  for (const path of files) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
  for (const bin of ["bin", "evil"]) {
    mkdirSync(join(folder, bin));
    writeFileSync(join(folder, bin, "probe"), `#!/bin/sh\necho ${bin}`);
    chmodSync(join(folder, bin, "probe"), 0o755);
  }
  return folder;
}

/** Runs a program, and returns what it may do and what becomes of its executors. */
export async function runPermissionSets(
  { flags, cwd, env, ...given }: Program,
): Promise<{ readonly own: Shown; readonly outcomes: readonly Outcome[] }> {
  const file = fileURLToPath(new URL("../fixtures/programs/permissions.ts", import.meta.url));
  const args = ["run", "--no-prompt", "--no-check", "--unstable-worker-options", ...flags, file, JSON.stringify(given)];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd,
    env: { ...process.env, ...env },
  });
  let stdout = "", stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  const closed = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const code = await within("The program", closed).finally(() => child.kill("SIGKILL"));
  assertEquals(code, 0, `${args.join(" ")}\n${stdout}\n${stderr}`);
  const [own, ...outcomes] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertStrictEquals(outcomes.length, given.sets.length, stdout + stderr);
  return { own, outcomes };
}

/** Lists what a worker may do although its program may not. Empty when all is well. */
export function excess(
  { questions, deeds }: Pick<Program, "questions" | "deeds">,
  own: Shown,
  worker: Shown,
): string[] {
  const ranks = ["granted", "partial"]; // any other answer is a refusal
  const rank = (answer: string) => ranks.includes(answer) ? ranks.indexOf(answer) : ranks.length;
  return [
    ...questions.filter((_, i) => rank(worker.answers[i]!) < rank(own.answers[i]!)).map((question) =>
      JSON.stringify(question)
    ),
    ...deeds.filter((_, i) => !worker.done[i]!.startsWith("refused: ") && !own.done.includes(worker.done[i]!))
      .map((deed) => JSON.stringify(deed)),
  ];
}
