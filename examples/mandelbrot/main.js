// Draws the Mandelbrot set with as many threads as the slider says.

import { ThreadPoolExecutor } from "@concurrent/futures";
import { drawRows } from "./mandelbrot.js";

const find = (id) => document.getElementById(id);
const canvas = find("picture"), context = canvas.getContext("2d");
const workers = find("workers"), detail = find("detail"), stop = find("stop"), state = find("state"), bar = find("bar");

/** Rows of one call. */
const ROWS = 4;

const view = { x: -0.7, y: 0, width: 3.9 };
let executor, controller;

async function draw() {
  controller?.abort();
  const { signal } = controller = new AbortController();
  const count = Number(workers.value), limit = 2 ** Number(detail.value), step = view.width / canvas.width;
  find("count").textContent = count;
  const calls = Array.from({ length: canvas.height / ROWS }, (_, i) => ({
    x: view.x - view.width / 2,
    y: view.y - step * canvas.height / 2,
    step,
    width: canvas.width,
    first: i * ROWS,
    rows: ROWS,
    limit,
  }));
  const start = performance.now(), percent = () => Math.round(100 * done / calls.length);
  let done = 0;
  try {
    // Rows come as they are ready, whichever that are.
    for await (const { first, pixels } of executor.map(drawRows, calls, { ordered: false, signal })) {
      context.putImageData(new ImageData(pixels, canvas.width), 0, first);
      bar.value = ++done / calls.length;
      state.textContent = `${percent()} %`;
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    state.textContent = `Drawn by ${count} worker${count > 1 ? "s" : ""} in ${seconds} s`;
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    if (controller.signal === signal) state.textContent = `Stopped at ${percent()} %`;
  }
}

function restart() {
  void executor?.shutdown({ wait: false });
  executor = new ThreadPoolExecutor({ maxWorkers: Number(workers.value) });
  return draw();
}

workers.max = Math.max(navigator.hardwareConcurrency, 2);
workers.value = navigator.hardwareConcurrency;
workers.onchange = restart;
detail.onchange = draw;
stop.onclick = () => controller.abort();
canvas.onclick = ({ offsetX, offsetY, shiftKey }) => {
  view.x += (offsetX / canvas.clientWidth - 0.5) * view.width;
  view.y += (offsetY / canvas.clientHeight - 0.5) * view.width * canvas.height / canvas.width;
  view.width *= shiftKey ? 4 : 1 / 4;
  void draw();
};
await restart();
