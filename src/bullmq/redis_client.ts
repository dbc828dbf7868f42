// The client of ioredis, whose errors show nothing that was sent: one command has the password, others have arguments of calls.

import { Redis, type RedisOptions as AnyOptions } from "ioredis";

/** Options whose replies have the shapes that every version of Redis gives. */
type RedisOptions = Omit<AnyOptions, "replyMapping">;

/** How deep the errors in an error are searched: EXECABORT has those of its commands. */
const DEPTH = 4;

/** Marks a command whose error is taken care of: ioredis (6.0) gives it to sendCommand() again after a reconnect. */
const CLEANED: unique symbol = Symbol("cleaned");

/** What Redis (7.0) says of a command that it does not know, such as an AUTH that was renamed. */
const QUOTED = /, with args beginning with: [^\n]*/;

/** A command of ioredis (6.0), as far as it concerns its error. */
interface Rejecting {
  reject(error: Error): void;
  [CLEANED]?: true;
}

/** A connection, and those that BullMQ makes of it. */
export class RedisClient extends Redis {
  /** The socket that holds back what is written for others of the same tick. */
  #corked: Corkable | undefined;

  constructor(options: RedisOptions, url?: string) {
    super(url!, options); // which passes over an undefined URL
    // The timer of `socketTimeout` always runs while a stream is read.
    const timed = this as unknown as Connecting, arm = timed.setSocketTimeout;
    timed.setSocketTimeout = () => {
      arm.call(timed);
      unref(timed.socketTimeoutTimer);
    };
    this.on("error", () => {}); // ioredis writes those that nobody hears; it tries again, and opened() tells whoever waits
    this.on("connect", () => unref((this as unknown as Connecting).stream));
    this.on("reconnecting", () => unref((this as unknown as Connecting).reconnectTimeout));
  }

  /** Every command goes this way, also those of ioredis itself and of transactions. */
  override sendCommand(...args: Parameters<Redis["sendCommand"]>): unknown {
    const command = args[0] as unknown as Rejecting, { reject } = command;
    if (!command[CLEANED]) {
      command[CLEANED] = true;
      command.reject = (error) => reject(withoutCommand(error));
    }
    this.#cork();
    return super.sendCommand(...args);
  }

  /**
   * Has the commands of a tick written together. ioredis (6.0) writes each by itself, and that is an eighth of what a trivial
   * call takes a host.
   */
  #cork(): void {
    const { stream } = this as unknown as Connecting;
    if (this.#corked || !stream?.cork) return;
    this.#corked = stream;
    stream.cork();
    queueMicrotask(() => {
      this.#corked = undefined;
      stream.uncork();
    });
  }

  /** BullMQ duplicates the connection of a worker. */
  override duplicate(override?: Partial<AnyOptions>): Redis {
    return new RedisClient({ ...this.options, ...override });
  }
}

/**
 * Takes the command off an error of ioredis, as it shows wherever the error does.
 *
 * @param error Anything that was thrown.
 * @returns The same.
 */
export function withoutCommand<E>(error: E, depth: number = DEPTH): E {
  if (!(error instanceof Error) || depth === 0) return error;
  const { previousErrors, errors, cause } = error as { previousErrors?: unknown; errors?: unknown; cause?: unknown };
  delete (error as { command?: unknown }).command;
  if (QUOTED.test(error.message)) {
    const { stack } = error;
    error.message = error.message.replace(QUOTED, "");
    if (stack !== undefined) error.stack = stack.replace(QUOTED, "");
  }
  for (const inner of [cause, previousErrors, errors].flat()) withoutCommand(inner, depth - 1);
  return error;
}

/** A socket. */
interface Corkable {
  cork(): void;
  uncork(): void;
}

/** What keeps a program alive in ioredis (6.0). */
interface Connecting {
  /** The socket, once there is one. */
  readonly stream: Corkable | undefined;
  /** The timer of the next attempt to connect. */
  readonly reconnectTimeout: unknown;
  /** The timer of {@linkcode setSocketTimeout}. */
  readonly socketTimeoutTimer: unknown;
  /** Ends the connection if a command gets no answer in time. */
  setSocketTimeout(): void;
}

function unref(handle: unknown): void {
  (handle as { unref?(): void } | null | undefined)?.unref?.();
}
