// A registry like JSR, on this machine: Deno publishes a package into it, and loads it from there, both with JSR_URL in the
// environment. It takes what it gets; JSR checks a package as `deno publish --dry-run` does. Deno runs it.

import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import ts from "typescript";
import { mustRun } from "../../scripts/run.ts";

/** A version of a package: its files, by their paths below the package's root. */
interface Version {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What `<version>_meta.json` says. */
  readonly meta: string;
}

/** A registry that runs. */
export class JsrRegistry {
  /** The paths that were asked for. */
  readonly asked: string[] = [];
  /** `@scope/name`, then the version. */
  readonly #packages = new Map<string, Map<string, Version>>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<JsrRegistry> {
    const registry = new JsrRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  /** What JSR_URL says. */
  get url(): string {
    return `http://${this.host}/`;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Publishes the package in `folder`, as `deno publish` does. */
  async publish(folder: string): Promise<void> {
    const args = ["publish", "--token=none", "--allow-dirty", "--no-provenance"];
    await mustRun(process.execPath, args, { cwd: folder, env: { ...process.env, JSR_URL: this.url } });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url!, this.url).pathname;
    this.asked.push(path);
    const body = path.startsWith("/api/") ? await this.#answerApi(path, request) : this.#read(path);
    const type = path.startsWith("/api/") || path.endsWith(".json") ? "application/json" : "text/plain";
    response.writeHead(body === undefined ? 404 : 200, { "content-type": type });
    response.end(body ?? `{ "code": "notFound", "message": "There is no such thing" }`);
  }

  /** The management API, as far as `deno publish` uses it: is the version there, is the package, take this tarball. */
  async #answerApi(path: string, request: IncomingMessage): Promise<string | undefined> {
    const [, scope, name, version] = /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/([^/]+))?$/.exec(path)!;
    if (request.method === "POST") {
      const pieces: Uint8Array[] = [];
      for await (const piece of request) pieces.push(piece);
      this.#publish(`@${scope}/${name}`, version!, readTarball(pieces));
      return `{ "id": "1", "status": "success", "error": null }`;
    }
    return version === undefined ? JSON.stringify({ scope, name }) : undefined;
  }

  #publish(name: string, version: string, files: ReadonlyMap<string, Uint8Array>): void {
    const { exports } = JSON.parse(new TextDecoder().decode(files.get("/deno.json")));
    const manifest = Object.fromEntries([...files].map(([path, bytes]) => {
      const checksum = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
      return [path, { size: bytes.length, checksum }];
    }));
    const versions = this.#packages.get(name) ?? new Map<string, Version>();
    const meta = JSON.stringify({ manifest, moduleGraph2: moduleGraph(files), exports });
    this.#packages.set(name, versions.set(version, { files, meta }));
  }

  /** The registry API. */
  #read(path: string): Uint8Array | string | undefined {
    const [, name, rest] = /^\/(@[^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
    const versions = this.#packages.get(name ?? "");
    if (!versions) return undefined;
    if (rest === "meta.json") {
      const [scope, shortName] = name!.slice(1).split("/");
      const latest = [...versions.keys()].at(-1);
      return JSON.stringify({
        ...{ scope, name: shortName, latest },
        versions: Object.fromEntries([...versions.keys()].map((version) => [version, {}])),
      });
    }
    const [, ofMeta] = /^([^/]+)_meta\.json$/.exec(rest!) ?? [];
    if (ofMeta) return versions.get(ofMeta)?.meta;
    const slash = rest!.indexOf("/");
    return versions.get(rest!.slice(0, slash))?.files.get(rest!.slice(slash));
  }
}

/** The files in a tarball, by their paths, each with a slash in front. */
function readTarball(pieces: readonly Uint8Array[]): Map<string, Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "futures-jsr-"));
  try {
    const tarball = join(folder, "package.tgz");
    writeFileSync(tarball, Buffer.concat(pieces));
    const { status, stderr } = spawnSync("tar", ["-xzf", "package.tgz"], { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`Cannot read the tarball: ${stderr}`);
    rmSync(tarball);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return new Map(
      files.map((file) => [`/${relative(folder, file).replaceAll("\\", "/")}`, new Uint8Array(readFileSync(file))]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What each module imports, as JSR tells it: Deno believes that, and reads the modules themselves only to run them. */
function moduleGraph(files: ReadonlyMap<string, Uint8Array>): Record<string, unknown> {
  return Object.fromEntries(
    [...files].filter(([path]) => /\.[jt]s$/.test(path)).map(([path, bytes]) => {
      const text = new TextDecoder().decode(bytes);
      const position = (offset: number) => {
        const lines = text.slice(0, offset).split("\n");
        return [lines.length - 1, lines.at(-1)!.length];
      };
      const dependencies = ts.preProcessFile(text).importedFiles.map(({ fileName, pos }) => {
        const range = [position(pos), position(pos + fileName.length + 2)];
        // What is between the statement's keyword and the name: `import type { A } from `, or `import(`.
        const statement = /\b(import|export)\b(?![^]*\b(import|export)\b)[^]*$/.exec(text.slice(0, pos))![0];
        if (/^import\s*\($/.test(statement)) {
          const isType = /\btypeof\s*$/.test(text.slice(0, pos - statement.length));
          if (!isType) return { type: "dynamic", argument: fileName, argumentRange: range };
        }
        const kind = /^import(\s+type\b|\s*\()/.test(statement)
          ? "importType"
          : /^export\s+type\b/.test(statement)
          ? "exportType"
          : statement.startsWith("export")
          ? "export"
          : "import";
        return { type: "static", kind, specifier: fileName, specifierRange: range };
      });
      const [, selfTypes] = /@ts-self-types="([^"]+)"/.exec(text) ?? [];
      const at = text.indexOf(selfTypes ?? "");
      const range = [position(at - 1), position(at + (selfTypes ?? "").length + 1)];
      return [path, { dependencies, ...(selfTypes && { selfTypesSpecifier: { text: selfTypes, range } }) }];
    }),
  );
}
