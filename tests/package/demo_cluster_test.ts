// The demo in examples/cluster/: as a program, on a folder whose words are known.

import { assertEquals, assertMatch } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run, type RunResult } from "../../scripts/run.ts";
import { runtime } from "../support/runtime.ts";
import { needsRedis } from "../support/redis_server.ts";
import { otherRuntimes, runtimeCommand } from "../support/runtime_commands.ts";
import { CEILING } from "../support/until.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

function demo(...args: string[]): Promise<RunResult> {
  const [command, ...flags] = runtimeCommand(runtime);
  const main = fileURLToPath(new URL("cluster/main.ts", EXAMPLES));
  return run(command!, [...flags, main, ...args], { timeout: CEILING });
}

test("the demo of hosts counts three times alike, on two runtimes", needsRedis, async () => {
  const folder = mkdtempSync(join(tmpdir(), "futures-demo-"));
  try {
    for (let n = 0; n < 4; n++) writeFileSync(join(folder, `${n}.txt`), "Alpha beta, alpha!\n".repeat(20_000));
    const hosts = otherRuntimes.flatMap((name) => ["--host", runtimeCommand(name)[0]!]);
    const { code, output } = await demo(folder, ...hosts);
    assertEquals(code, 0, output);
    assertMatch(output, /^4 files, 1\.5 MB, in 24 calls\.$/m);
    assertMatch(output, /^alpha +160,000$/m);
    assertMatch(output, /^beta +80,000$/m);
    assertMatch(output, /^All three agree: 240,000 words of 4\.7 letters, 2 different ones, in 80,000 sentences\.$/m);
    const names = output.match(/^Hosts: (.*) \d+, (.*) \d+\.$/m)!.slice(1).map((name) => name.toLowerCase());
    assertEquals(names.sort(), [...otherRuntimes].sort());
    const calls = [...output.matchAll(/^(?:Deno|Bun|Node) \d+_0: (\d+) calls$/gm)].map(([, count]) => Number(count));
    assertEquals(calls.reduce((sum, count) => sum + count, 0), 24);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the demo's program for other machines differs by the executor's import and options alone", () => {
  const read = (file: string) =>
    readFileSync(new URL(file, EXAMPLES), "utf8").replaceAll(/^\/\/.*\n/gm, "").replaceAll("../word_count/", "./");
  const machines = read("cluster/machines.ts").split("\n"), threads = read("word_count/threads.ts").split("\n");
  assertMatch(machines[0]!, /^import \{ BullMQExecutor as Executor \} from "@concurrent\/futures\/bullmq";$/);
  const own = machines.filter((line) => !threads.includes(line)).slice(1);
  assertEquals(own, [
    "/** The queue that the hosts serve. */",
    'export const QUEUE = "word_count";',
    "/** Does the whole job on the hosts that serve the queue. */",
    "export async function countAll(job: Job, redis: string): Promise<Counted> {",
    "  await using executor = new Executor({ queue: QUEUE, connection: { url: redis } });",
  ]);
});

test("the demo of hosts says what it takes, and what is wrong", async () => {
  const help = await demo("--help");
  assertMatch(help.output, /\[folder\] \[--redis URL\]/);
  assertEquals(help.code, 0);
  const wrong = await demo("/no/such/folder");
  assertMatch(wrong.output, /'\/no\/such\/folder' is not a folder/);
  assertEquals(wrong.code, 2);
});
