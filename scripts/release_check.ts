// deno-lint-ignore-file no-console -- a program prints
// Refuses a release that is not ready: release_check.ts <tag>. `.github/workflows/release.yml` runs it first; by hand it says
// whether a tag may be pushed.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "./install.ts";

/** What a release is made of. */
export interface Release {
  readonly tag: string;
  /** deno.json's. */
  readonly version: string;
  /** The text of CHANGELOG.md. */
  readonly changelog: string;
  /** package.json's, as npm writes it: `git+https://github.com/owner/name.git`. */
  readonly repository: string;
  /** The repository whose workflow makes the release: `owner/name`. `undefined` on a developer's machine. */
  readonly madeIn?: string | undefined;
}

/** Why a release must not be made; empty when it may. */
export function releaseProblems({ tag, version, changelog, repository, madeIn }: Release): string[] {
  const problems: string[] = [];
  if (tag !== `v${version}`) problems.push(`The tag is ${tag}, but deno.json has version ${version}: tag v${version}`);
  const sections = sectionsOf(changelog);
  if (!sections.get(version)) {
    problems.push(`CHANGELOG.md says nothing about ${version}: add a section "## ${version}"`);
  }
  if (sections.get("Unreleased")) {
    problems.push(`CHANGELOG.md has unreleased changes: move them to the section "## ${version}"`);
  }
  if (madeIn !== undefined && repository !== `git+https://github.com/${madeIn}.git`) {
    problems.push(
      `package.json names ${repository} as the repository, but the release is made in ${madeIn}: npm would refuse its provenance`,
    );
  }
  return problems;
}

/** The sections of a change log, by their headings. */
function sectionsOf(changelog: string): Map<string, string> {
  return new Map(
    changelog.split(/^## /m).slice(1).map((section) => {
      const [heading, ...lines] = section.split("\n");
      return [heading!.trim(), lines.join("\n").trim()];
    }),
  );
}

function main(): void {
  const [tag, ...others] = process.argv.slice(2);
  if (!tag || others.length > 0) {
    throw new Error("Cannot check a release as its tag is missing: release_check.ts <tag>");
  }
  const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
  const { version } = JSON.parse(read("deno.json"));
  const { repository } = JSON.parse(read("package.json"));
  const problems = releaseProblems({
    ...{ tag, version, changelog: read("CHANGELOG.md"), repository: repository.url },
    madeIn: process.env.GITHUB_REPOSITORY,
  });
  console.log(problems.length > 0 ? problems.join("\n") : `${tag} may be released`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (import.meta.main) main();
