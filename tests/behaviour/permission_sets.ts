// Programs with some of Deno's permissions, executors that are to give some of them to their workers, and what both may do
// then: as they are asked, and as they do it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { within } from "../support/until.ts";

/** What `Deno.permissions.querySync()` is asked. */
export type Question = Readonly<Record<string, string>>;

/** Something that wants a permission, and has a result: `[what, with what, with which port]`. */
export type Deed =
  | readonly ["read" | "env" | "run" | "import", string]
  | readonly ["connect", string, number];

/** An executor that a program makes. */
export interface Made {
  readonly kind: "threads" | "processes";
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a program, or a worker of it, is answered, and has come to do. */
export interface Shown {
  readonly answers: readonly string[];
  readonly done: readonly string[];
}

/** What becomes of an executor: its worker is asked, or it cannot be made, or its worker cannot be started. */
export type Outcome = Shown | { readonly refused: string } | { readonly broken: string };

/** A program. */
export interface Program {
  readonly flags: readonly string[];
  readonly sets: readonly Made[];
  readonly questions: readonly Question[];
  readonly deeds: readonly Deed[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Makes a folder whose files a worker may want, and with two commands of one name: `bin/probe` and `evil/probe`.
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
  assert.equal(code, 0, `${args.join(" ")}\n${stdout}\n${stderr}`);
  const [own, ...outcomes] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(outcomes.length, given.sets.length, stdout + stderr);
  return { own, outcomes };
}

/** What a worker may that its program may not, in words; nothing, if all is well. */
export function excess(
  { questions, deeds }: Pick<Program, "questions" | "deeds">,
  own: Shown,
  worker: Shown,
): string[] {
  const ranks = ["granted", "partial"]; // anything else is nothing
  const rank = (answer: string) => ranks.includes(answer) ? ranks.indexOf(answer) : ranks.length;
  return [
    ...questions.filter((_, i) => rank(worker.answers[i]!) < rank(own.answers[i]!)).map((question) =>
      JSON.stringify(question)
    ),
    ...deeds.filter((_, i) => !worker.done[i]!.startsWith("refused: ") && !own.done.includes(worker.done[i]!))
      .map((deed) => JSON.stringify(deed)),
  ];
}
