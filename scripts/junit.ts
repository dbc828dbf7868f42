// Reads what came of tests from the JUnit reports of Deno, Bun and Node.

/** How many tests ended in which way. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts the tests of a report. */
export function countTests(xml: string): Counts {
  const tests = occurrences(xml, /<testcase\b/g);
  const failed = occurrences(xml, /<(failure|error)\b/g);
  const skipped = occurrences(xml, /<skipped\b/g);
  return { passed: tests - failed - skipped, failed, skipped };
}

/**
 * The files, of those that were run, which have no test in the report: whoever forgets to call `test()` in a file shall
 * hear of it.
 *
 * In the reports of Deno and Node a test belongs to the file that called `test()`, which may be another than the one that
 * was run. Deno's output names that one; Node's report has the file as a test that passed, named like the file, if and only
 * if there was no test.
 */
export function filesWithoutTests(
  runner: "deno" | "bun" | "node",
  files: readonly string[],
  xml: string,
  output: string,
): string[] {
  const ran = xml + output.replaceAll(/^running 0 tests from .*$/gm, "");
  return files.map((file) => file.replace(/^\.\//, ""))
    .filter((file) => runner === "node" ? xml.includes(`<testcase name="${file}"`) : !ran.includes(file));
}

/** How many tests have ended, as the output of Deno, Bun or Node says. */
export function endedTests(output: string): number {
  return occurrences(output, /\.\.\. (ok|FAILED|ignored)\b|^\((pass|fail|skip)\)|^[✔✖﹣] /gm);
}

function occurrences(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
