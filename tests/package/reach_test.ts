// The table of docs/runtimes.md is the one that the tests have written.

import { test } from "node:test";
import { checkTable, recordRows } from "./reach_table.ts";
import process from "node:process";

test("docs/runtimes.md has the table of what works where, as the tests saw it", () => {
  if (process.env.FUTURES_REACH === "write") recordRows("bundlers", []); // writes the table alone
  checkTable();
});
