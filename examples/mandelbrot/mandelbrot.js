// The task: draws some rows of the Mandelbrot set. Import maps do not apply in workers, so this imports by URL.

import { task, transfer } from "/futures/src/task/mod.js";

/** Colours from the edge of the set outwards: night, sea, foam, sand, ember. */
const PALETTE = [[0, 7, 60], [32, 107, 203], [237, 255, 255], [255, 170, 0], [80, 2, 0], [0, 7, 60]];

export const drawRows = task(import.meta.url, function drawRows({ x, y, step, width, first, rows, limit }) {
  const pixels = new Uint8ClampedArray(width * rows * 4);
  for (let i = 0; i < width * rows; i++) {
    const cx = x + (i % width) * step, cy = y + (first + Math.floor(i / width)) * step;
    pixels.set(colour(depth(cx, cy, limit), limit), i * 4);
  }
  return transfer({ first, pixels }, [pixels.buffer]); // the pixels move to the page
});

/** After how many steps a point escapes; between two, so that colours flow. */
function depth(cx, cy, limit) {
  let a = 0, b = 0;
  for (let n = 0; n < limit; n++) {
    const a2 = a * a, b2 = b * b;
    if (a2 + b2 > 256) return n + 1 - Math.log2(Math.log2(a2 + b2) / 2);
    b = 2 * a * b + cy;
    a = a2 - b2 + cx;
  }
  return limit;
}

function colour(depth, limit) {
  if (depth >= limit) return [0, 0, 0, 255];
  const at = (Math.log2(Math.max(depth, 1)) * 1.2) % (PALETTE.length - 1);
  const from = PALETTE[Math.floor(at)], to = PALETTE[Math.floor(at) + 1], part = at % 1;
  return [0, 1, 2].map((i) => from[i] + (to[i] - from[i]) * part).concat(255);
}
