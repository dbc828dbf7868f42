// A line to a server that can go silent, as when a cable is cut: neither side is told. It can also end in the middle of a
// message, and have the server refuse every command with an error of the test's choice.

import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import { until } from "./until.ts";

/** A command as clients of Redis write it: an array of texts, each after its length. */
const BEGINNING = /^\*(\d+)\r\n/, TEXT = /\$(\d+)\r\n/y;

/** Passes on what a server and its clients say, until it is cut. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #cut: Socket[] = [];
  /** What is sent in place of each command. */
  #instead: Buffer | undefined;
  #refused = 0;
  #isClosed = false;
  /** Those that end with half of what is said next. */
  readonly #severed = new WeakSet<Socket>();

  private constructor(target: number) {
    this.#server = createServer((client) => {
      if (this.#isClosed) return void client.destroy(); // it was under way
      const server = connect(target, "127.0.0.1");
      for (const [from, to] of [[client, server], [server, client]] as const) {
        this.#sockets.add(from);
        let rest = "";
        from.on("data", (data: Buffer) => {
          if (!this.#sockets.has(from)) return;
          if (this.#severed.has(from)) return this.#sever(from, to, data);
          if (from === server) return void to.write(data);
          // Commands are cut out of what comes, so that none is replaced by half.
          const [commands, left] = commandsOf(rest + data.toString("latin1"));
          rest = left;
          for (const command of commands) {
            if (this.#instead) this.#refused++;
            to.write(this.#instead ?? Buffer.from(command, "latin1"));
          }
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

  /** Ends every connection that there is in the middle of what is said next, and tells both sides. New ones work. */
  sever(): void {
    for (const socket of this.#sockets) this.#severed.add(socket);
  }

  /** From now on the server answers each command with an error; or as it likes again. */
  say(error: string | undefined): void {
    this.#refused = 0;
    // The server itself says it, so that answers to earlier commands come before it.
    const script = error && `return redis.error_reply(${JSON.stringify(error)})`;
    this.#instead = script === undefined
      ? undefined
      : Buffer.from(`*3\r\n$4\r\nEVAL\r\n$${script.length}\r\n${script}\r\n$1\r\n0\r\n`);
  }

  /** Resolves when so many commands were answered with an error. */
  said(count: number): Promise<void> {
    return until(`${count} commands were refused`, () => this.#refused >= count);
  }

  #sever(from: Socket, to: Socket, data: Buffer): void {
    this.#sockets.delete(from);
    to.write(data.subarray(0, data.length >> 1), () => {
      from.destroy();
      to.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const socket of [...this.#sockets, ...this.#cut]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Cuts a text into commands; what is left is the beginning of one. */
function commandsOf(text: string): readonly [commands: string[], left: string] {
  const commands: string[] = [];
  for (let from = 0;;) {
    const rest = text.slice(from), beginning = BEGINNING.exec(rest);
    if (!beginning) return [commands, rest];
    let end = beginning[0].length;
    for (let n = Number(beginning[1]); n > 0; n--) {
      TEXT.lastIndex = end;
      const length = TEXT.exec(rest);
      if (!length) return [commands, rest];
      end += length[0].length + Number(length[1]) + 2;
    }
    if (end > rest.length) return [commands, rest];
    commands.push(rest.slice(0, end));
    from += end;
  }
}
