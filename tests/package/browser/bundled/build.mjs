// Bundles the page in the working folder for browsers: node build.mjs <tool>

import { cpSync } from "node:fs";
import { resolve } from "node:path";

const tools = {
  async esbuild() {
    const { build } = await import("esbuild");
    await build({
      entryPoints: ["main.js", "worker.js", "prices.js"],
      bundle: true,
      minify: true,
      format: "esm",
      outdir: "dist",
      logLevel: "error",
    });
    cpSync("index.html", "dist/index.html");
  },
  async webpack() {
    const { default: webpack } = await import("webpack");
    const config = { mode: "production", devtool: false, entry: "./main.js", output: { path: resolve("dist") } };
    const stats = await new Promise((done, fail) =>
      webpack(config, (error, stats) => error ? fail(error) : done(stats))
    );
    if (stats.hasErrors() || stats.hasWarnings()) {
      throw new Error(stats.toString({ all: false, errors: true, warnings: true }));
    }
    cpSync("index.html", "dist/index.html");
  },
  async vite() {
    const { build } = await import("vite");
    await build({ root: process.cwd(), base: "./", logLevel: "warn", configFile: false, worker: { format: "es" } });
  },
};

await tools[process.argv[2]]();
