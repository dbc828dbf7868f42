// A worker of the user's own that does not serve the program.

import { assertEquals, assertMatch } from "@std/assert";
import { mock, test } from "node:test";
import { expectAnswer } from "../../../src/pool/own_worker.ts";
import type { ChannelEvents, WorkerChannel, WorkerExit } from "../../../src/wire/channel.ts";

test("a worker that does not answer is waited for once, and its end says so", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    for (const answers of [false, true]) {
      const exits: WorkerExit[] = [];
      let inner: ChannelEvents | undefined;
      const kill = () => inner!.onClose({ exitCode: 1 });
      expectAnswer({ onMessage() {}, onClose: (exit) => exits.push(exit) }, (events) => {
        inner = events;
        return { kill } as WorkerChannel;
      });
      if (answers) inner!.onMessage({ kind: "ready" });
      mock.timers.tick(30_000);
      if (answers) {
        assertEquals(exits, []);
        kill();
        assertEquals(exits, [{ exitCode: 1 }]);
      } else {
        assertEquals(exits[0]!.inVain, true);
        assertMatch(String(exits[0]!.error), /did not answer within 30 s: its file has to import/);
      }
    }
  } finally {
    mock.timers.reset();
  }
});
