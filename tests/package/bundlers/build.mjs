// Runs a bundler by its functions, in the working folder: node build.mjs <tool> <folder of the output> [option]...

import { resolve } from "node:path";

const [tool, out, ...options] = process.argv.slice(2);
const isExternal = options.includes("external");
const has = (option) => options.includes(option);

const tools = {
  async rollup() {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const input = has("one") ? ["main.js"] : ["main.js", "prices.mjs"];
    const external = [/^node:/, ...(isExternal ? [/^@concurrent/] : [])];
    const bundle = await rollup({ input, external, plugins: [nodeResolve({ preferBuiltins: true })] });
    const where = has("one") ? { file: `${out}/main.js`, inlineDynamicImports: true } : { dir: out };
    await bundle.write({ format: "es", ...where });
  },
  async webpack() {
    const { default: webpack } = await import("webpack");
    const config = {
      mode: has("development") ? "development" : "production",
      devtool: false,
      target: "node20",
      entry: { main: "./main.js" },
      experiments: { outputModule: true },
      output: { path: resolve(out), filename: "[name].mjs", module: true, chunkFormat: "module" },
      ...(isExternal && { externals: [/^@concurrent/], externalsType: "module" }),
      ...(!has("baked") && { module: { parser: { javascript: { importMeta: false } } } }),
    };
    const stats = await new Promise((done, fail) =>
      webpack(config, (error, stats) => error ? fail(error) : done(stats))
    );
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  },
  async vite() {
    const { build } = await import("vite");
    const common = { root: process.cwd(), logLevel: "error", configFile: false };
    await build({
      ...common,
      ...(!isExternal && { ssr: { noExternal: true } }),
      build: { ssr: true, rollupOptions: { input: ["main.js", "prices.mjs"] }, outDir: out },
    });
  },
  /** Runs the program in place of building it. */
  async "vite dev"() {
    const { createServer } = await import("vite");
    const server = await createServer({
      root: process.cwd(),
      logLevel: "error",
      configFile: false,
      server: { middlewareMode: true, ws: false, hmr: false },
      appType: "custom",
    });
    const { done } = await server.ssrLoadModule("/main.js");
    await done;
    await server.close();
  },
};

await tools[tool]();
