// Permissions on Deno: whatever the program was started with and whatever an executor gives to its workers, a worker may do
// nothing that the program may not. Both are asked about everything near the edges of the lists, and try some of it.

import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtime } from "../support/runtime.ts";
import {
  type Deed,
  excess,
  type Made,
  makePermissionFolder,
  type Outcome,
  type Question,
  runPermissionSets,
} from "../behaviour/permission_sets.ts";
import { property } from "./properties.ts";

/** How many programs, and executors of each. A program takes as long as its worker processes: about 0.1 s each. */
const PROGRAMS = 30, EXECUTORS = 8;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

if (runtime === "deno") await register();
else test("Workers on Bun and Node have no permissions to be given", { skip: true }, () => {});

async function register(): Promise<void> {
  const files = ["base/f", "base/sub/g", "base/data/d", "base/x/e", "secret/f", "secret/data/d"];
  const folder = makePermissionFolder(files);
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/javascript").end(`export default "imported"`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as AddressInfo;
  const env = { DENO_DIR: join(folder, "deno"), TOKEN: "1", TOKX: "2", OTHER: "3" };
  const path = process.env.PATH!;
  const cwd = join(folder, "base");

  const paths = [
    "base",
    "base/f",
    "base/sub",
    "base/sub/g",
    "base/data",
    "base/x",
    "secret",
    "secret/f",
    "secret/data",
    ".",
  ]
    .map((path) => join(folder, path));
  const hosts = [
    ...["127.0.0.1", "localhost", "a.example.com", "example.com", "[::1]", "jsr.io", "2130706433", "0177.0.0.1"],
    ...[`127.0.0.1:${port}`, "127.0.0.1:8000", `localhost:${port}`, `2130706433:${port}`, `0177.0.0.1:${port}`],
    ...["a.example.com:443", "jsr.io:443", "esm.sh:443", "[::1]:8000"],
  ];
  const probes = [join(folder, "bin/probe"), join(folder, "evil/probe")];
  const values: Readonly<Record<string, readonly string[]>> = {
    read: paths,
    write: paths,
    ffi: paths,
    net: hosts,
    import: hosts,
    env: ["TOKEN", "TOKENS", "TOKX", "OTHER", "PATH"],
    sys: ["hostname", "cpus", "osRelease", "uid"],
    run: probes,
  };
  /** Values that can be asked about in no other way than by what they stand for. */
  const patterns: Readonly<Record<string, readonly string[]>> = {
    net: ["*.example.com", "*.example.com:443", "127.0.0.0/8", "127.0.0.1/32"],
    import: ["*.example.com", "*.example.com:443", "127.0.0.0/8"],
    env: ["TOK*", "TOKEN*", "*"],
    run: ["probe"],
  };
  /** What means nearly the same as a value, or did to somebody who reads it otherwise. */
  const nearly = (name: string, value: string): string[] => {
    const host = value.replace(/:\d+$/, "");
    switch (name) {
      case "env":
        return [`${value}*`, value.slice(0, -1), `${value},TOKEN`];
      case "sys":
        return [`${value},uid`];
      case "run":
        return ["probe", "../evil/probe", `${value},${probes[1]}`];
      case "net":
      case "import":
        return [host, `${host}:${port}`, `*.${host}`, `${value},127.0.0.1`];
      default:
        return [`./${relative(cwd, value)}`, "./data", `${value}/..`, `${value},${paths[6]}`, `${value}/x,${paths[6]}`];
    }
  };

  const keys: Readonly<Record<string, string>> = {
    ...{ read: "path", write: "path", ffi: "path", net: "host", import: "host" },
    ...{ env: "variable", sys: "kind", run: "command" },
  };
  const questions: Question[] = Object.entries(values).flatMap(([name, list]) => [
    { name },
    ...list.map((value) => ({ name, [keys[name]!]: value })),
  ]);
  const deeds: Deed[] = [
    ...["base/f", "base/sub/g", "base/data/d", "base/x/e", "secret/f", "secret/data/d"]
      .map((path) => ["read", join(folder, path)] as const),
    ...["TOKEN", "TOKX", "OTHER"].map((name) => ["env", name] as const),
    ...["probe", ...probes].map((command) => ["run", command] as const),
    ...["127.0.0.1", "localhost", "2130706433"].map((host) => ["connect", host, port] as const),
    ...["127.0.0.1", "localhost"].map((host) => ["import", `http://${host}:${port}/m.js`] as const),
  ];

  const some = (list: readonly string[]) => fc.uniqueArray(fc.constantFrom(...list), { minLength: 1, maxLength: 3 });
  /** Without it, no worker can be started: Deno wants the whole environment for any process. */
  const needed: Readonly<Record<string, readonly string[]>> = { run: [process.execPath], read: [ROOT], env: [] };
  const bare = (name: string) => needed[name] ? [`--allow-${name}${needed[name].map((value) => `=${value}`)}`] : [];

  /** What a program is told of one kind of permission, and what to tell its executors of it. */
  const kindOf = (name: string): fc.Arbitrary<{ flags: string[]; sets: Made[] }> => {
    const list = some([...values[name]!, ...patterns[name] ?? []]);
    const allow = fc.oneof(
      list.map((list) => [`--allow-${name}=${[...list, ...needed[name] ?? []]}`]),
      fc.constant([`--allow-${name}`]),
      fc.constant(bare(name)),
    );
    const excepted = (verb: string) => list.map((list) => [`--${verb}-${name}=${list}`]);
    const deny = fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 3, arbitrary: excepted("deny") },
      ...(name === "env" || name === "read" ? [excepted("ignore")] : []),
      ...(needed[name] ? [] : [fc.constant([`--deny-${name}`])]),
    );
    const flags = fc.tuple(allow, deny).map((flags) => flags.flat());
    return flags.chain((flags) => {
      // Mostly what the program was told itself, as it stands or nearly so.
      const told = flags.flatMap((flag) => flag.split("=")[1]?.split(",") ?? []).filter((value) =>
        !needed[name]?.includes(value)
      );
      const near = (told.length > 0 ? told : values[name]!).flatMap((value) => nearly(name, value));
      const any = [...values[name]!, ...patterns[name] ?? []];
      const wanted = fc.oneof(
        fc.boolean(),
        { weight: 3, arbitrary: some(told.length > 0 ? told : any) },
        { weight: 6, arbitrary: fc.constantFrom(...near).map((value) => [value]) },
        { weight: 2, arbitrary: some([...told, ...any]) },
      );
      const permissions = fc.oneof(
        fc.constant("inherit"),
        fc.constant("none"),
        { weight: 10, arbitrary: wanted.map((wanted) => ({ [name]: wanted })) },
      );
      const flag = [`--allow-${name}=${told[0] ?? values[name]![0]}`, `--allow-${name}`, "-A", "-qN", "--cached-only"];
      const sometimes = <T>(arbitrary: fc.Arbitrary<T>, weight = 1) =>
        fc.oneof({ weight, arbitrary: fc.constant(undefined) }, arbitrary);
      const ofProcesses = fc.record({
        permissions,
        cwd: sometimes(fc.constant(join(folder, "secret"))),
        env: sometimes(fc.constant({ ...env, PATH: `${folder}/evil:${path}` })),
        execArgv: sometimes(fc.constantFrom(...flag).map((flag) => [flag]), 5),
      });
      const made = fc.oneof(
        fc.record({ kind: fc.constant("processes" as const), options: ofProcesses }),
        fc.record({ kind: fc.constant("threads" as const), options: fc.record({ permissions }) }),
      );
      return fc.array(made, { minLength: EXECUTORS, maxLength: EXECUTORS }).map((sets) => ({ flags, sets }));
    });
  };

  const names = Object.keys(values);
  const given = fc.constantFrom(...names).chain((name) =>
    kindOf(name).map(({ flags, sets }) => ({
      flags: [...flags, ...names.filter((other) => other !== name).flatMap(bare)],
      sets,
    }))
  );

  const counts = { asked: 0, refused: 0, broken: 0 };
  property(
    "No worker may do what its program may not, whatever permissions both are given",
    PROGRAMS,
    given,
    async ({ flags, sets }) => {
      const program = {
        flags,
        sets,
        questions,
        deeds,
        cwd,
        env: { ...env, PATH: `${folder}/bin:${path}` },
      };
      const { own, outcomes } = await runPermissionSets(program);
      for (const [i, outcome] of outcomes.entries()) {
        count(outcome);
        if (!("answers" in outcome)) continue;
        const set = sets[i]!;
        assertEquals(excess(program, own, outcome), [], `${JSON.stringify(set)} of ${flags.join(" ")}`);
        assertEquals(missing(set, outcome), [], `${JSON.stringify(set)} of ${flags.join(" ")}`);
      }
    },
  );

  test("enough of those workers were there to be asked", () => {
    const all = counts.asked + counts.refused + counts.broken;
    server.close();
    rmSync(folder, { recursive: true, force: true });
    assert(counts.asked > all / 5 && counts.refused > 0, JSON.stringify(counts));
  });

  function count(outcome: Outcome): void {
    counts["answers" in outcome ? "asked" : "refused" in outcome ? "refused" : "broken"]++;
  }

  /** What a worker was promised and has not got. */
  function missing({ options }: Made, { answers }: { readonly answers: readonly string[] }): string[] {
    const { permissions } = options;
    if (typeof permissions !== "object" || permissions === null) return [];
    const promised = Object.entries(permissions).flatMap(([name, wanted]) =>
      wanted === true
        ? [{ name }]
        : Array.isArray(wanted)
        ? wanted.map((value) => ({ name, [keys[name]!]: value }))
        : []
    );
    return promised.map((question) => JSON.stringify(question)).filter((shown) => {
      const at = questions.findIndex((question) => JSON.stringify(question) === shown);
      return at >= 0 && !["granted", "partial"].includes(answers[at]!);
    });
  }
}
