// Permissions on Deno: a worker may do what its executor allows, and nothing that its program may not do, however it
// is said. The rows are examples; tests/properties/permissions_test.ts tries everything else.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ProcessPoolExecutor } from "../../mod.ts";
import { runtime } from "../support/runtime.ts";
import { behaviour } from "./behaviour.ts";
import { KINDS, PROCESSES } from "./kinds.ts";
import {
  type Deed,
  excess,
  type Made,
  makePermissionFolder,
  type Question,
  runPermissionSets,
} from "./permission_sets.ts";
import { square } from "../fixtures/tasks/arithmetic.ts";
import { runIn } from "../world/world.ts";
import { assertError } from "../support/assert_error.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

// deno-lint-ignore no-explicit-any
type Anything = any;

for (const kind of KINDS) {
  behaviour(kind, " refuses wrong permissions, on every runtime", async (Executor) => {
    const wrong: [Anything, RegExp][] = [
      [1, /'permissions' must be "inherit", "none" or an object: received 1/],
      [null, /'permissions' must be/],
      [[], /'permissions' must be/],
      ["all", /'permissions' must be .*: received "all"/],
      [{ disk: true }, /'permissions.disk'.* no such permission/],
      [{ toString: true }, /'permissions.toString'.* no such permission/],
      [{ read: "/tmp" }, /'permissions.read' must be a boolean or an array: received "\/tmp"/],
      [{ read: [1] }, /'permissions.read' must be an array of strings.*: received 1/],
      [{ read: [""] }, /'permissions.read' must be an array of strings/],
      [{ net: [undefined] }, /'permissions.net' must be an array of strings/],
    ];
    for (const [permissions, message] of wrong) {
      assertError(assertThrows(() => new Executor({ permissions } as Anything), String(message)), {
        name: "TypeError",
        message,
      });
    }
    await using executor = new Executor({ maxWorkers: 1, permissions: { read: undefined } } as Anything);
    if (runtime !== "deno") assertEquals(await executor.submit(square, 3), 9);
  });
}

behaviour(PROCESSES, " refuses wrong folders and flags", () => {
  const wrong: [Anything, RegExp][] = [
    [{ cwd: 1 }, /'cwd' must be a path or a file: URL: received 1/],
    [{ cwd: new URL("https://example.com/") }, /'cwd' must be a path or a file: URL/],
    [{ execArgv: "-A" }, /'execArgv' must be an array/],
    [{ execArgv: ["--a", undefined] }, /'execArgv\[1\]' must be a string: received undefined/],
    [{ execArgv: new Array(1) }, /'execArgv\[0\]' must be a string/],
    [{ env: "A=b" }, /'env' must be an object/],
    [{ env: ["A=b"] }, /'env' must be an object/],
  ];
  for (const [options, message] of wrong) {
    assertError(assertThrows(() => new ProcessPoolExecutor(options), String(message)), { name: "TypeError", message });
  }
});

if (runtime === "deno") onDeno();

/** An executor of one program, and what its worker may do. */
interface Row {
  readonly flags?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
  /** Questions that the worker is answered "granted" to, and questions that it is not. */
  readonly granted?: readonly Question[];
  readonly denied?: readonly Question[];
  readonly deeds?: readonly Deed[];
  /** The message of the error that refuses to make the executor. */
  readonly refused?: RegExp;
}

function onDeno(): void {
  const folder = makePermissionFolder(["base/f", "base/data/f", "secret/f", "secret/data/f"]);
  const base = join(folder, "base"), secret = join(folder, "secret");
  const PATH = `${folder}/bin:${process.env.PATH}`,
    otherPath = { ...process.env, PATH: `${folder}/evil:${process.env.PATH}` };

  const read = (path: string) => ({ name: "read", path });
  const write = (path: string) => ({ name: "write", path });
  const env = (variable: string) => ({ name: "env", variable });
  const net = (host: string) => ({ name: "net", host });
  const imports = (host: string) => ({ name: "import", host });
  const run = (command: string) => ({ name: "run", command });
  const all = (...names: string[]) => names.map((name) => ({ name }));
  const EVERYTHING = ["read", "write", "net", "env", "sys", "run", "ffi", "import"];
  /** What a program needs to start processes. */
  const PROGRAM = ["--allow-run", "--allow-env", `--allow-read=${ROOT}`];

  const rows: Readonly<Record<string, Row>> = {
    "has all that the program has": { flags: ["-A"], granted: all(...EVERYTHING) },
    "has nothing with none": { flags: ["-A"], options: { permissions: "none" }, denied: all(...EVERYTHING) },
    "has nothing with {}": { flags: ["-A"], options: { permissions: {} }, denied: all(...EVERYTHING) },
    "has what is listed and nothing else": {
      flags: ["-A"],
      options: { permissions: { read: true, net: true, write: [base] } },
      granted: [...all("read", "net"), write(base), read(secret), net("example.com")],
      denied: [...all("write", "env", "sys", "run", "ffi", "import"), write(secret)],
    },
    "has of a list what lies below it, and not beside": {
      options: { permissions: { read: [base] } },
      flags: [...PROGRAM, `--allow-read=${base}`],
      granted: [read(base), read(`${base}/f`)],
      denied: [...all("read"), read(folder), read(`${base}2`), read(secret)],
      deeds: [["read", `${base}/f`], ["read", `${secret}/f`]],
    },
    "reads paths against the folder of the program, with cwd": {
      flags: [...PROGRAM, `--allow-read=${base}`],
      options: { permissions: { read: ["./data", "data/../f"] }, cwd: secret },
      granted: [read(`${base}/data`), read(`${base}/f`)],
      denied: [read(`${secret}/data`), read(`${base}/x`)],
      deeds: [["read", `${base}/data/f`], ["read", `${secret}/data/f`]],
    },
    "has no whole permission with exceptions": {
      flags: [...PROGRAM, "--allow-net", "--deny-net=127.0.0.1:8000", "--allow-sys", "--deny-sys=hostname"],
      denied: all("net", "sys", "read"),
      granted: all("run", "env"),
    },
    "may run what a name led to by the PATH of the program": {
      flags: ["-A"],
      options: { permissions: { run: ["probe"] }, env: otherPath },
      granted: [run(`${folder}/bin/probe`)],
      denied: [run(`${folder}/evil/probe`), run("probe")],
      deeds: [["run", "probe"], ["run", `${folder}/bin/probe`], ["run", `${folder}/evil/probe`]],
    },
    "may import from where the program may by default": {
      flags: PROGRAM,
      granted: [imports("jsr.io:443"), imports("esm.sh:443")],
      denied: [...all("import"), imports("example.com:443"), imports("jsr.io:80")],
    },
    "may not import by default where the program may not": {
      flags: [...PROGRAM, "--allow-import=example.com"],
      denied: [imports("jsr.io:443"), imports("esm.sh:443"), imports("example.com:443")],
    },
    "may not import by default with --cached-only": {
      flags: [...PROGRAM, "--allow-import=example.com"],
      options: { execArgv: ["--cached-only"] },
      denied: [...all("import"), imports("jsr.io:443"), imports("example.com:443")],
    },
    "may not import where the program closes that": {
      flags: [...PROGRAM, "--deny-import"],
      denied: [...all("import"), imports("jsr.io:443")],
    },
    "may import with import: true": {
      flags: [...PROGRAM, "--allow-import"],
      options: { permissions: { import: true } },
      granted: all("import"),
    },
    "may import from a listed registry": {
      flags: PROGRAM,
      options: { permissions: { import: ["jsr.io:443"] } },
      granted: [imports("jsr.io:443")],
      denied: [imports("esm.sh:443")],
    },
    "reaches an address with its port, with and without exceptions": {
      flags: [...PROGRAM, "--allow-net", "--deny-net=127.0.0.1:8000"],
      options: { permissions: { net: ["127.0.0.1:8001", "[::1]:80"] } },
      granted: [net("127.0.0.1:8001"), net("[::1]:80")],
      denied: [net("127.0.0.1:8000"), net("127.0.0.1"), net("[::1]")],
    },
    "reaches an address that the program was given": {
      flags: [...PROGRAM, "--allow-net=127.0.0.1:8001,unix:/run/a.sock"],
      options: { permissions: { net: ["127.0.0.1:8001", "unix:/run/a.sock"] } },
      granted: [net("127.0.0.1:8001"), net("unix:/run/a.sock")],
    },
    "reaches hosts, patterns and subnets of a program without exceptions": {
      flags: [...PROGRAM, "--allow-net"],
      options: { permissions: { net: ["a.example.com", "*.example.org", "10.0.0.0/8"], env: ["TOK*"] } },
      granted: [net("a.example.com"), net("b.example.org:80"), net("10.1.1.1"), env("TOKEN")],
      denied: [net("b.example.com"), net("11.1.1.1"), env("OTHER")],
    },
  };
  const processRows: Readonly<Record<string, Row>> = {
    "a pattern of variables with an exception": {
      flags: [...PROGRAM, "--deny-env=TOKEN"],
      options: { permissions: { env: ["TOK*"] } },
      refused: /'permissions.env' must be an array of names without \* unless/,
    },
    "an address without a port, with an exception": {
      flags: [...PROGRAM, "--allow-net", "--deny-net=127.0.0.1:8000"],
      options: { permissions: { net: ["127.0.0.1"] } },
      refused: /'permissions.net' must be an array of addresses with a port/,
    },
    "an address without a port, where exceptions are not known": {
      flags: [...PROGRAM, "--allow-net=127.0.0.1"],
      options: { permissions: { net: ["127.0.0.1"] } },
      refused: /'permissions.net' must be an array of addresses with a port/,
    },
    "an address of a subnet that is an exception": {
      flags: [...PROGRAM, "--allow-net=127.0.0.1:8000", "--deny-net=127.0.0.0/8"],
      options: { permissions: { net: ["127.0.0.1:8000"] } },
      refused: /'permissions.net' must be an array of addresses/,
    },
    "an address and port of a subnet that is an exception": {
      flags: [...PROGRAM, "--allow-net=127.0.0.1:8000", "--deny-net=127.0.0.0/8:8000"],
      options: { permissions: { net: ["127.0.0.1:8000"] } },
      refused: /'permissions.net' must be an array of addresses/,
    },
    "a name that may lead to an exception": {
      flags: [...PROGRAM, "--allow-net=localhost:8000", "--deny-net=127.0.0.1"],
      options: { permissions: { net: ["localhost:8000"] } },
      refused: /'permissions.net' must be an array of addresses/,
    },
    "a number that is a name to Deno": {
      flags: [...PROGRAM, "--allow-net=1234:80"],
      options: { permissions: { net: ["1234:80"] } },
      refused: /'permissions.net' must be an array of addresses/,
    },
    "a subnet with an exception": {
      flags: [...PROGRAM, "--allow-net", "--deny-net=10.0.0.1"],
      options: { permissions: { net: ["10.0.0.0/8"] } },
      refused: /'permissions.net' must be an array of addresses/,
    },
    "a pattern of hosts that Deno does not answer about": {
      flags: [...PROGRAM, "--allow-net=*.example.com"],
      options: { permissions: { net: ["*.example.com"] } },
      refused: /permission 'net' for "\*\.example\.com": /,
    },
    "a URL": {
      flags: ["-A"],
      options: { permissions: { net: ["https://example.com"] } },
      refused: /'permissions.net' must be an array of hosts, not of URLs/,
    },
    "a host to import from, where exceptions are not known": {
      flags: [...PROGRAM, "--allow-import=example.com"],
      options: { permissions: { import: ["example.com:443"] } },
      refused: /'permissions.import' must be an array of addresses/,
    },
    "a name of a program that nothing has": {
      flags: ["-A"],
      options: { permissions: { run: ["no-such-program"] } },
      refused: /'permissions.run' must be an array of paths, or of names that a readable PATH/,
    },
    "a name of a program where PATH cannot be followed": {
      flags: PROGRAM,
      options: { permissions: { run: ["probe"] } },
      refused: /'permissions.run' must be an array of paths, or of names that a readable PATH/,
    },
    "another who decides on permissions": {
      flags: ["-A"],
      options: { env: { ...process.env, DENO_PERMISSION_BROKER_PATH: "/run/broker" } },
      refused: /'env.DENO_PERMISSION_BROKER_PATH' must be the program's own/,
    },
    "a kind of sys that there is not": {
      flags: [...PROGRAM, "--allow-sys=cpus"],
      options: { permissions: { sys: ["weather"] } },
      refused: /permission 'sys' for "weather": /,
    },
  };
  const bothRows: Readonly<Record<string, Row>> = {
    "a permission that the program has not": {
      flags: PROGRAM,
      options: { permissions: { net: true } },
      refused: /with the permission 'net' as the program does not have it itself/,
    },
    "a path that the program may not read": {
      flags: PROGRAM,
      options: { permissions: { read: [secret] } },
      refused: /with the permission 'read' for ".*secret" as the program does not have it itself/,
    },
    "a folder in which there is an exception": {
      flags: [...PROGRAM, `--allow-write=${base}`, `--deny-write=${base}/f`],
      options: { permissions: { write: [base] } },
      refused: /with the permission 'write' for ".*base" as the program has it only with exceptions/,
    },
    "a pattern that begins as a variable": {
      flags: ["--allow-run", "--allow-env=TOKEN", "--allow-read"],
      options: { permissions: { env: ["TOKEN*"] } },
      refused: /with the permission 'env' for "TOKEN\*" as the program does not have it itself/,
    },
  };
  const refusedThreads: Readonly<Record<string, Row>> = {
    "a pattern with a port, from which there is an exception": {
      flags: ["--allow-read", "--allow-net", "--deny-net=a.example.com"],
      options: { permissions: { net: ["*.example.com:443"] } },
      refused: /'permissions.net' must be an array of hosts without \* and subnets/,
    },
    "a pattern with a port, of which the program has all ports": {
      flags: ["--allow-read", "--allow-net=*.example.com", "--deny-net=a.example.com"],
      options: { permissions: { net: ["*.example.com:443"] } },
      refused: /'permissions.net' must be an array of hosts without \* and subnets/,
    },
    "a subnet with an exception": {
      flags: ["--allow-read", "--allow-net", "--deny-net=127.0.0.0/16"],
      options: { permissions: { net: ["127.0.0.0/8"] } },
      refused: /'permissions.net' must be an array of hosts without \* and subnets/,
    },
  };
  const threadRows: Readonly<Record<string, Row>> = {
    "has all that the program has": { flags: ["-A"], granted: all(...EVERYTHING) },
    "has nothing with none": { flags: ["-A"], options: { permissions: "none" }, denied: all(...EVERYTHING) },
    "has what is listed, without the exceptions of the program": {
      flags: [
        "--allow-read",
        "--allow-env",
        "--deny-env=TOKEN",
        "--allow-net=127.0.0.1,*.example.com",
        "--deny-net=127.0.0.1:8000",
      ],
      options: { permissions: { env: ["TOK*"], net: ["127.0.0.1", "*.example.com"], read: ["./data"] } },
      granted: [env("TOKX"), net("127.0.0.1:8001"), net("a.example.com"), read(`${base}/data/f`)],
      denied: [env("TOKEN"), net("127.0.0.1:8000"), read(`${base}/f`), ...all("import", "read")],
    },
  };

  const table: [Made["kind"][], string, Readonly<Record<string, Row>>][] = [
    [["processes"], "", rows],
    [["threads"], "", threadRows],
    [["processes"], "is refused ", processRows],
    [["threads"], "is refused ", refusedThreads],
    [["processes", "threads"], "is refused ", bothRows],
  ];
  for (const [kinds, does, list] of table) {
    for (const kind of kinds) {
      for (const [what, row] of Object.entries(list)) {
        const name = { processes: "ProcessPoolExecutor", threads: "ThreadPoolExecutor" }[kind];
        const { flags = PROGRAM, options = {}, granted = [], denied = [], deeds = [], refused } = row;
        test(refused ? `${name} ${does}${what}` : `a worker of ${name} ${what}`, async () => {
          const questions = [...granted, ...denied];
          const { own, outcomes } = await runPermissionSets({
            flags,
            sets: [{ kind, options }],
            questions,
            deeds,
            cwd: base,
            env: { PATH, TOKEN: "1", TOKX: "2" },
          });
          const [outcome] = outcomes;
          if (refused) {
            assertMatch("refused" in outcome! ? outcome.refused : JSON.stringify(outcome), refused);
            return;
          }
          assert("answers" in outcome!, JSON.stringify(outcome));
          const answered = (is: boolean) => questions.filter((_, i) => (outcome.answers[i] === "granted") === is);
          assertEquals([answered(true), answered(false)], [[...granted], [...denied]]);
          assertEquals(excess({ questions, deeds }, own, outcome), []);
        });
      }
    }
  }

  test("ProcessPoolExecutor takes no flag about permissions, and no value with a comma", async () => {
    const flags = [
      ...[
        "--allow-read",
        `--allow-read=${secret}`,
        "--deny-net",
        "--ignore-env=A",
        "--no-prompt",
        "--permission-set=x",
      ],
      ...["-A", "-R", `-R=${secret}`, "-P", "-P=x", "-qA", "-W", "-N", "-E", "-S", "-I", "--allow-all"],
    ].map((flag) => ({ permissions: "none", execArgv: ["--quiet", flag] }));
    const commas = [`${base}/x,${secret}`, `${base},`, "a,,b"].map((path) => ({ permissions: { read: [path] } }));
    const sets = [...flags, ...commas].map((options) => ({ kind: "processes" as const, options }));
    const { outcomes } = await runPermissionSets({ flags: ["-A"], sets, questions: [], deeds: [], cwd: base });
    for (const [i, { options }] of sets.entries()) {
      const refusal = "execArgv" in options
        ? /^TypeError: Cannot create ProcessPoolExecutor as 'execArgv\[1\]' must be no flag about permissions/
        : /^TypeError: Cannot create ProcessPoolExecutor as 'permissions.read' must be an array of strings without commas/;
      assertMatch((outcomes[i] as { refused: string }).refused, refusal, JSON.stringify(options));
    }
  });

  test("a permission that the program gives away later is not given to the next worker", async () => {
    const code = `
      import { ProcessPoolExecutor, ThreadPoolExecutor } from ${JSON.stringify(pathToFileURL(ROOT).href + "mod.ts")};
      const permissions = { read: [${JSON.stringify(base)}] };
      const executors = [ProcessPoolExecutor, ThreadPoolExecutor].map((Executor) => new Executor({ maxWorkers: 1, permissions }));
      Deno.permissions.revokeSync({ name: "read", path: ${JSON.stringify(base)} });
      for (const executor of executors) {
        console.log(await executor.submit(() => 1).catch((error) => \`\${error.name}: \${error.cause?.message}\`));
        await executor.shutdown();
      }`;
    writeFileSync(join(folder, "later.ts"), code);
    const flags = [...PROGRAM, `--allow-read=${base}`, "--no-check", "--no-prompt", "--unstable-worker-options"];
    const { stdout, stderr, code: exitCode } = await runIn(folder, ["run", ...flags, "later.ts"]);
    const lost = (name: string) =>
      `${name}: Cannot start a worker with the permission 'read' for "${base}" as the program does not have it itself`;
    assertStrictEquals(stdout.trim(), [lost("BrokenProcessPool"), lost("BrokenThreadPool")].join("\n"), stderr);
    assertEquals(exitCode, 0);
  });

  test("workers of a package that comes from a host are loaded from there, and nothing else is", async () => {
    // As a registry does, but from this host. Deno tells TypeScript by the name of the file.
    const server = createServer(({ url }, response) => {
      if (url === "/main.ts") return response.end(MAIN);
      response.end(readFileSync(join(ROOT, url!)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const flags = ["--allow-run", "--allow-env", "--no-check", "--no-prompt", "--unstable-worker-options", "--quiet"];
      const DENO_DIR = join(folder, "deno");
      const { stdout, stderr } = await runIn(folder, ["run", ...flags, `http://127.0.0.1:${port}/main.ts`], {
        env: { DENO_DIR },
      });
      const here = `127.0.0.1:${port}`;
      const expected = [`inherit jsr.io:443 ${here} 8`, `none ${here} 4`, `inherit jsr.io:443 ${here} 8`, "none  4"];
      assertStrictEquals(stdout.trim(), expected.join("\n"), stderr);
    } finally {
      server.close();
    }
  });
  const MAIN = `
    import { ProcessPoolExecutor, ThreadPoolExecutor } from "./mod.ts";
    const may = (hosts) => hosts.filter((host) => Deno.permissions.querySync({ name: "import", host }).state === "granted");
    const here = new URL(import.meta.url).host;
    for (const Executor of [ProcessPoolExecutor, ThreadPoolExecutor]) {
      for (const permissions of ["inherit", "none"]) {
        await using executor = new Executor({ maxWorkers: 1, permissions });
        const hosts = await executor.submit(may, ["jsr.io:443", "example.com:443", here]);
        console.log(permissions, hosts.join(" "), await executor.submit((n) => n * 2, permissions === "none" ? 2 : 4));
      }
    }`;

  test("the files of these tests are gone", () => rmSync(folder, { recursive: true, force: true }));
}
