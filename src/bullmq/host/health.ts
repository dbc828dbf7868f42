// The page of a host for those who operate it: whether it lives and takes calls, and its numbers.

import { createServer, type Server, type ServerResponse } from "node:http";
import { report } from "../../report.ts";
import { METRICS_TYPE } from "../metrics.ts";

/** Where a host says how it is. */
export interface HealthOptions {
  /** The port, 0 to 65,535; with 0, the system chooses one, see {@linkcode Host.healthPort}. */
  port: number;
  /**
   * The address to listen on.
   *
   * @default all addresses of the machine, as probes come from another one
   */
  hostname?: string | undefined;
}

/** What the page says. */
export interface Condition {
  /** Why the host should be started anew; none while it lives. */
  dead(): readonly string[];
  /** Why the host takes no calls; none while it does. */
  unready(): readonly string[];
  /** Its numbers, in Prometheus' format. */
  metrics(): Promise<string>;
}

/** Serves the page. */
export class HealthPage {
  readonly #server: Server;

  constructor(condition: Condition) {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://host");
      if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "text/plain", "");
      switch (pathname) {
        case "/live":
          return sendReasons(response, "live", condition.dead());
        case "/ready":
          return sendReasons(response, "ready", [...condition.dead(), ...condition.unready()]);
        case "/metrics":
          return void condition.metrics().then(
            (text) => send(response, 200, METRICS_TYPE, text),
            () => send(response, 500, "text/plain", "The numbers cannot be told"),
          );
        default:
          return send(response, 404, "text/plain", "There are /live, /ready and /metrics\n");
      }
    });
  }

  /** The port on which it listens. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /**
   * Begins to listen.
   *
   * @throws {Error} (rejects) when the port is taken, or not allowed.
   */
  listen({ port, hostname }: HealthOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error) =>
        reject(new Error(`Cannot serve as port ${port} of 'health' cannot be opened: ${cause.message}`, { cause }));
      this.#server.once("error", refuse);
      this.#server.listen(port, hostname, () => {
        this.#server.off("error", refuse);
        this.#server.on("error", (error) => report("Error of the page of", "a host's health", error));
        resolve();
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function sendReasons(response: ServerResponse, what: string, reasons: readonly string[]): void {
  const body = `${JSON.stringify({ [what]: reasons.length === 0, reasons })}\n`;
  send(response, reasons.length === 0 ? 200 : 503, "application/json", body);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}
