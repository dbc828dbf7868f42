// What there is to count: the text files of a folder, laid end to end and cut into batches of equal size.

import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** A text file. */
export interface TextFile {
  readonly path: string;
  readonly bytes: number;
}

/** The lines of a file which begin at `from` or later, and before `to`: each line is in exactly one piece. */
export interface Piece {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** The work of one call. */
export interface Batch {
  readonly pieces: readonly Piece[];
  readonly bytes: number;
}

/** As much of a file is looked at to tell text from other data, which has zero bytes. Git does the same. */
const HEAD_BYTES = 8_000;

/** Lines are looked for in blocks of so many bytes. */
const BLOCK_BYTES = 4_096;

/**
 * Finds the text files in a folder and in the folders in it, and reads them once, so that the first run does not wait
 * for the disk and the others do.
 *
 * Links are not followed, as what they lead to would count twice. Hidden folders hold what tools keep for themselves and
 * are left out, except in node_modules, where some package managers put the packages into one.
 */
export function textFiles(folder: string): TextFile[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new TypeError(`Cannot count words as '${folder}' is not a folder`);
  }
  const withHidden = basename(folder) === "node_modules";
  const files: TextFile[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && (withHidden || !entry.name.startsWith("."))) files.push(...textFiles(path));
    else if (entry.isFile() && isText(path)) files.push({ path, bytes: readFileSync(path).length });
  }
  return files;
}

function isText(path: string): boolean {
  return using(path, (file) => {
    const head = new Uint8Array(HEAD_BYTES);
    const length = readSync(file, head, 0, HEAD_BYTES, 0);
    return length > 0 && !head.subarray(0, length).includes(0);
  });
}

/** Lays the files end to end and cuts every `size` bytes. */
export function cut(files: readonly TextFile[], size: number): Batch[] {
  const batches: Batch[] = [];
  let pieces: Piece[] = [], room = size;
  const close = () => {
    if (room < size) batches.push({ pieces, bytes: size - room });
    pieces = [];
    room = size;
  };
  for (const { path, bytes } of files) {
    for (let from = 0, to; from < bytes; from = to) {
      to = Math.min(from + room, bytes);
      pieces.push({ path, from, to });
      room -= to - from;
      if (room === 0) close();
    }
  }
  close();
  return batches;
}

/** The text of a piece. */
export function readPiece({ path, from, to }: Piece): string {
  return using(path, (file) => {
    const begin = lineStart(file, from), end = lineStart(file, to);
    const bytes = new Uint8Array(end - begin);
    for (let at = 0, length; at < bytes.length; at += length) {
      length = readSync(file, bytes, at, bytes.length - at, begin + at);
      if (length === 0) throw new Error(`Cannot count the words of ${path} as it became shorter meanwhile`);
    }
    return new TextDecoder().decode(bytes);
  });
}

/** Where the first line begins that begins at `offset` or later, or else the file's end. */
function lineStart(file: number, offset: number): number {
  if (offset === 0) return 0;
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = offset - 1, length;; at += length) {
    length = readSync(file, block, 0, BLOCK_BYTES, at);
    const newline = block.subarray(0, length).indexOf(0x0a);
    if (newline >= 0) return at + newline + 1;
    if (length === 0) return at;
  }
}

function using<T>(path: string, read: (file: number) => T): T {
  const file = openSync(path, "r");
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}
