// deno-lint-ignore-file no-console -- a program prints
// A server of files for pages, and by itself the example for browsers, with the npm package: `deno task demo:browser`.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { buildNpm } from "./build_npm.ts";
import { ROOT } from "./install.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
};

/** A running server. */
export interface Site {
  readonly url: string;
  close(): void;
}

/**
 * Serves files to this machine.
 *
 * @param folders The folders, by the first part of the path.
 * @param headers Headers of each answer.
 */
export async function serve(
  folders: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Site> {
  const server: Server = createServer((request, response) => {
    // The URL is without `..`.
    const [, first, ...rest] = new URL(request.url!, "http://localhost").pathname.split("/");
    try {
      const file = join(folders[first!]!, ...rest.map(decodeURIComponent));
      const content = readFileSync(file);
      response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", ...headers });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

if (import.meta.main) {
  await buildNpm();
  const example = join(ROOT, "examples", "mandelbrot");
  const { url } = await serve({ futures: join(ROOT, "npm", "esm"), mandelbrot: example });
  console.log(`Open ${url}/mandelbrot/index.html`);
}
