// Makes the pages that the program shares with its worker processes (page.ts).

import { type Ask, hasWhole, PERMISSIONS } from "../pool/permissions.ts";
import { loadBuiltin, process } from "../runtime.ts";
import { type OwnPage, PAGE_SIZE } from "../wire/page_claims.ts";
import { pageOf } from "./page.ts";

/** A page of this program, with its descriptor here. */
export interface NewPage extends OwnPage {
  readonly descriptor: number;
}

/** The descriptor in the worker: after its standard streams and the channel. */
const IN_WORKER = 4;

/** A file in this folder that never has a name: O_TMPFILE and O_RDWR. Nothing is left behind, whenever the program is killed. */
const WITHOUT_NAME = 0o20200000 | 2;

/** Only this user may open it, if anybody could. */
const PRIVATE = 0o600;

/** Makes a page; `undefined` where there is none: on another platform, or without permission to write a file. */
export function newPage(): NewPage | undefined {
  if (process.platform !== "linux" && process.platform !== "android") return undefined;
  const fs = loadBuiltin<typeof import("node:fs")>("node:fs");
  for (const folder of folders()) {
    let descriptor: number | undefined;
    try {
      descriptor = fs.openSync(folder, WITHOUT_NAME, PRIVATE);
      const page = pageOf(fs, descriptor);
      page.write(0, new Uint8Array(PAGE_SIZE), 0, PAGE_SIZE);
      return { ...page, descriptor, shared: IN_WORKER, close: closer(fs, descriptor) };
    } catch {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    }
  }
  return undefined;
}

/** Closes a descriptor, once: its number may be another file's by then. */
function closer({ closeSync }: typeof import("node:fs"), descriptor: number): () => void {
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    try {
      closeSync(descriptor);
    } catch {
      // Somebody else has closed it.
    }
  };
}

interface DenoNamespace {
  readonly permissions: { readonly querySync: Ask };
}

/** Folders in which a page may be made, the best first. Deno is asked before, as it would prompt the user otherwise. */
function folders(): string[] {
  const { Deno } = globalThis as unknown as { readonly Deno?: DenoNamespace };
  const memory = "/dev/shm";
  const { tmpdir } = loadBuiltin<typeof import("node:os")>("node:os");
  if (!Deno) return [memory, tmpdir()];
  const ask: Ask = (question) => Deno.permissions.querySync(question);
  const maySearch = ["TMPDIR", "TMP", "TEMP"].every((variable) => ask({ name: "env", variable }).state === "granted");
  const temporary = maySearch ? tmpdir() : "/tmp";
  // Deno (2.9) opens files in /dev only for programs with all permissions.
  const list = Object.keys(PERMISSIONS).every((name) => hasWhole(ask, name)) ? [memory, temporary] : [temporary];
  return list.filter((path) => ["read", "write"].every((name) => ask({ name, path }).state === "granted"));
}
