// A line to a server that can go silent, as when a cable is cut: neither side is told.

import { connect, createServer, type Server, type Socket } from "node:net";

/** Passes on what a server and its clients say, until it is cut. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #cut: Socket[] = [];

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, "127.0.0.1");
      for (const [from, to] of [[client, server], [server, client]] as const) {
        this.#sockets.add(from);
        from.on("data", (data) => {
          if (this.#sockets.has(from)) to.write(data);
        });
        from.on("error", () => {}).on("close", () => {
          if (this.#sockets.delete(from)) to.destroy();
        });
      }
    });
  }

  /** Starts a line to the server of a URL. Resolves when it can be used. */
  static async start(url: string): Promise<Relay> {
    const relay = new Relay(Number(new URL(url).port));
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  /** The URL of this end. */
  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** Cuts every connection that there is, in silence. New ones work. */
  cut(): void {
    this.#cut.push(...this.#sockets);
    this.#sockets.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#sockets, ...this.#cut]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
