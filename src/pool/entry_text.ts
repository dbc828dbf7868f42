// Workers that start from a text of their entry, as a build tool has left its file behind (src/entry.ts).

import { entryMessage } from "../entry.ts";
import type { ChannelEvents, WorkerChannel } from "../wire/channel.ts";

/**
 * Opens the line to a worker that waits for the text of its entry.
 *
 * @param text Loads the text. A build tool may have left that behind, too: then the worker ends, and the error says so.
 * @param send Sends a message to the worker.
 * @param events Where the channel reports.
 * @param open Makes the channel, which reports to the events that it is given.
 */
export function openWithText<Channel extends WorkerChannel>(
  text: Promise<{ readonly entry: string }>,
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
  text.then(({ entry }) => {
    waits = false;
    send(entryMessage(entry));
  }).catch((thrown) => {
    error = thrown;
    channel.kill();
  });
  // The text comes by a promise.
  return {
    ...channel,
    get refusesToBlock() {
      return waits
        ? "the text of its workers' file is being loaded: await executor.warmUp() first"
        : channel.refusesToBlock;
    },
  };
}
