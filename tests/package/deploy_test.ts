// The files of examples/deploy/ are what systemd, Docker and Kubernetes take, as far as that can be told without them running.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { tool } from "../support/build_tools.ts";
import { Gate } from "../support/gate.ts";

const read = (name: string) => readFileSync(new URL(`../../examples/deploy/${name}`, import.meta.url), "utf8");
const COMMAND = readFileSync(new URL("../../src/bullmq/host/command.ts", import.meta.url), "utf8");

/** Checks that the command knows each option. */
function assertOptions(args: readonly string[]): void {
  const options = args.filter((arg) => arg.startsWith("--"));
  assert(options.includes("--queue") && options.includes("--tasks"), args.join(" "));
  for (const option of options) {
    assert(COMMAND.includes(`\n  ${option} `) || COMMAND.includes(`\n  ${option}\n`), option);
  }
}

const SYSTEMD = "/usr/bin/systemd-analyze";

test("systemd takes the unit, and it starts the command itself", { skip: !existsSync(SYSTEMD) }, () => {
  using files = new Gate();
  const unit = read("futures-host.service");
  const [, command = ""] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit)!;
  assertOptions(command.split(/[\s\\]+/).slice(2));
  // The paths of that machine are not on this one.
  const here = join(files.folder, "futures-host.service");
  writeFileSync(here, unit.replace("/usr/bin/node", process.execPath));
  const env = { ...process.env, SYSTEMD_LOG_LEVEL: "warning" };
  const output = execFileSync(SYSTEMD, ["verify", "--man=no", here], { encoding: "utf8", env, stdio: "pipe" });
  assertEquals(output, "");
});

for (const name of ["Dockerfile", "Dockerfile.distroless"]) {
  test(`${name} starts the command itself, without a shell`, () => {
    const lines = read(name).split("\n");
    const started = lines.filter((line) => /^(ENTRYPOINT|CMD) /.test(line)).flatMap((line) =>
      JSON.parse(line.slice(line.indexOf(" "))) as string[]
    );
    const at = started.indexOf("node_modules/.bin/futures-serve");
    assert(at >= 0, started.join(" "));
    assertOptions(started.slice(at + 1));
    assert(lines.some((line) => /^USER |:nonroot$/.test(line)), "it does not run as root");
  });
}

interface Deployment {
  readonly spec: {
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Container[] };
    };
  };
}

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

test("The manifest's probes ask for what a host serves, and its grace is longer than the host's", () => {
  const { parse } = tool<{ parse(text: string): Deployment }>("yaml");
  const { spec: { selector, template } } = parse(read("kubernetes.yaml"));
  assertEquals(template.metadata.labels, selector.matchLabels);
  const [host] = template.spec.containers as [Container];
  assertOptions(host.args);
  const valueOf = (option: string) => Number(host.args[host.args.indexOf(option) + 1]);
  const [port] = host.ports;
  assertEquals(port!.containerPort, valueOf("--health-port"));
  const page = readFileSync(new URL("../../src/bullmq/host/health.ts", import.meta.url), "utf8");
  for (const { httpGet } of [host.startupProbe, host.livenessProbe, host.readinessProbe]) {
    assertEquals(httpGet.port, port!.name);
    assertMatch(page, new RegExp(`case "${httpGet.path}"`));
  }
  const { seconds } = host.lifecycle.preStop.sleep;
  assert(template.spec.terminationGracePeriodSeconds > seconds + valueOf("--drain-timeout") / 1000);
});
