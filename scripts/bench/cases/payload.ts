// (d) Bytes there and back: copied, and moved where the contender can.

import { type Case, expect, type Figures, time, withPool } from "../case.ts";

const SIZES: readonly [string, number][] = [["1 KiB", 2 ** 10], ["1 MiB", 2 ** 20], ["64 MiB", 2 ** 26]];

export const payloadCase: Case = {
  name: "payload",
  title: "Bytes there and back",
  unit: "ms",
  by: "payload",
  chart: "bars",
  runs: 3,
  peerRuns: 1,
  measure: (entry) =>
    withPool(entry, 1, async (pool) => {
      const figures: Figures = {};
      for (const [name, size] of entry.quick ? SIZES.slice(0, 2) : SIZES) {
        const bytes = new Uint8Array(size).fill(1);
        const copy = async () => {
          expect((await pool.submit("echo", bytes) as Uint8Array).byteLength, size);
          if (bytes.byteLength === 0) throw new Error("It moved what it was to copy");
        };
        for (let round = 0; round < 3; round++) await copy();
        figures[`${name} copied`] = await time(copy, entry.quick);
      }
      for (const [name, size] of pool.move ? SIZES : []) {
        let bytes = new Uint8Array(size).fill(1);
        const move = async () => {
          const sent = bytes;
          bytes = await pool.move!(sent) as Uint8Array<ArrayBuffer>;
          expect(bytes.byteLength, size);
          if (sent.byteLength > 0) throw new Error("It copied what it was to move");
        };
        for (let round = 0; round < 20; round++) await move();
        figures[`${name} moved`] = await time(move, entry.quick);
      }
      return figures;
    }),
};
