// Workers that start from a text of their entry, as a build tool has left its file behind (src/entry.ts).

import { entryMessage } from "../entry.ts";
import type { ChannelEvents, WorkerChannel } from "../wire/channel.ts";

/** The text of an entry. It is loaded when a worker needs it for the first time. */
export class EntryText {
  readonly #load: () => Promise<{ readonly entry: string }>;
  #text: string | undefined;

  /** @param load Loads the text. A build tool may have left that behind, too. */
  constructor(load: () => Promise<{ readonly entry: string }>) {
    this.#load = load;
  }

  /** Calls `use` with the text: at once, if it is here. */
  async take(use: (text: string) => void): Promise<void> {
    use(this.#text ??= (await this.#load()).entry);
  }
}

/**
 * Opens the line to a worker that waits for the text of its entry.
 *
 * @param text The text. When it cannot be loaded, the worker ends, and the error says so.
 * @param send Sends a message to the worker.
 * @param events Where the channel reports.
 * @param open Makes the channel, which reports to the events that it is given.
 */
export function openWithText<Channel extends WorkerChannel>(
  text: EntryText,
  send: (message: object) => void,
  events: ChannelEvents,
  open: (events: ChannelEvents) => Channel,
): Channel {
  let error: unknown;
  const channel = open({
    onMessage: (message) => events.onMessage(message),
    onClose: (exit) => events.onClose(error === undefined ? exit : { ...exit, error }),
  });
  let waits = true;
  text.take((text) => {
    waits = false;
    send(entryMessage(text));
  }).catch((thrown) => {
    error = thrown;
    channel.kill();
  });
  return {
    ...channel,
    get refusesToBlock() {
      return waits
        ? "the text of its workers' file is being loaded: await executor.warmUp() first"
        : channel.refusesToBlock;
    },
  };
}
