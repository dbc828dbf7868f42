// The client of ioredis, whose errors show nothing that was sent: one command has the password, others have arguments of calls.

import { Redis, type RedisOptions as AnyOptions } from "ioredis";

/** Options whose replies have the shapes that every version of Redis gives. */
type RedisOptions = Omit<AnyOptions, "replyMapping">;

/** How deep the errors in an error are searched: EXECABORT has those of its commands. */
const DEPTH = 4;

/** Marks a command whose error is taken care of: ioredis (6.0) gives it to sendCommand() again after a reconnect. */
const CLEANED: unique symbol = Symbol("cleaned");

/** No timer, in the place of one: clearTimeout() does nothing to it. */
const EXPECTS = 0;

/** How long the program has to read what is there, when it was busy for longer than `socketTimeout`, in milliseconds. */
const TO_READ = 100;

/** The beginning of the message when a connection was given up for its `socketTimeout`. */
export const SILENT = "Socket timeout.";

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
  #corked: Stream | undefined;
  /** When something came from Redis for the last time, or was sent while no answer was expected; and who looks at that. */
  #heard = 0;
  #silence: Silence | undefined;

  constructor(options: RedisOptions, url?: string) {
    super(url!, options); // which passes over an undefined URL
    (this as unknown as Connecting).setSocketTimeout = () => this.#expectAnswer();
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

  /**
   * Gives the connection up when a command has no answer for `socketTimeout`. ioredis (6.0) makes a timer for each command, and
   * that is a fortieth of what a trivial call takes, and its timers keep a program alive: one is enough, which looks how long it
   * is since something came.
   */
  #expectAnswer(): void {
    const connection = this as unknown as Connecting, { stream } = connection;
    if (!stream) return;
    this.#heard = performance.now();
    connection.socketTimeoutTimer = EXPECTS;
    if (this.#silence?.stream !== stream) {
      clearTimeout(this.#silence?.timer);
      this.#silence = { stream, timer: undefined };
      // After ioredis' own listener, which has taken the commands that are answered off its queue.
      stream.on("data", () => {
        this.#heard = performance.now();
        if (connection.commandQueue.length === 0) connection.socketTimeoutTimer = undefined;
      });
    }
    this.#silence.timer ??= this.#lookAfter(this.options.socketTimeout!, this.#silence);
  }

  #lookAfter(delay: number, silence: Silence, isSilent = false): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      silence.timer = undefined;
      if (silence !== this.#silence || (this as unknown as Connecting).socketTimeoutTimer !== EXPECTS) return;
      const { socketTimeout = 0 } = this.options, left = this.#heard + socketTimeout - performance.now();
      if (left > 0) silence.timer = this.#lookAfter(left, silence);
      else if (!isSilent) silence.timer = this.#lookAfter(TO_READ, silence, true);
      else silence.stream.destroy(new Error(`${SILENT} Redis has not answered for ${socketTimeout} ms`));
    }, delay);
    unref(timer);
    return timer;
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
interface Stream {
  cork(): void;
  uncork(): void;
  on(event: "data", listener: () => void): void;
  destroy(error: Error): void;
}

/** The watch over one socket. */
interface Silence {
  readonly stream: Stream;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** What keeps a program alive in ioredis (6.0). */
interface Connecting {
  /** The socket, once there is one. */
  readonly stream: Stream | undefined;
  /** The commands that have no answer yet. */
  readonly commandQueue: { readonly length: number };
  /** The timer of the next attempt to connect. */
  readonly reconnectTimeout: unknown;
  /** Whether an answer is expected: not `undefined` then. ioredis clears it as a timer when the connection closes. */
  socketTimeoutTimer: typeof EXPECTS | undefined;
  /** A command was written, and no answer is expected yet. */
  setSocketTimeout(): void;
}

function unref(handle: unknown): void {
  (handle as { unref?(): void } | null | undefined)?.unref?.();
}
