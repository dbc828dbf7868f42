// Reads what came of tests from the JUnit reports of Deno, Bun and Node.

/** How many tests ended in which way. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** How many lines of a failure are repeated at most: a property's seed stands far above its name. */
const MOST_LINES = 150;

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

/**
 * What the output of Bun says of each test that failed: the lines above its name, which passed tests separate. Deno and Node
 * repeat that at the end by themselves.
 */
export function failuresIn(output: string): string {
  const failures: string[] = [];
  let lines: string[] = [];
  for (const line of output.split("\n")) {
    if (/^\((pass|skip)\) /.test(line)) lines = [];
    else lines.push(line);
    // The summary at the end names it again, with nothing above it.
    if (/^\(fail\) /.test(line)) {
      if (lines.length > 1) failures.push(...lines.slice(-MOST_LINES));
      lines = [];
    }
    if (/^\d+ tests (failed|skipped):/.test(line)) break;
  }
  return failures.join("\n");
}

function occurrences(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
