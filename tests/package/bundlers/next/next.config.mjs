import { join } from "node:path";

// The packages are in the folder above. `EXTERNAL`: as those who leave this package out of the bundle.
export default {
  turbopack: { root: join(import.meta.dirname, "..") },
  serverExternalPackages: process.env.EXTERNAL ? ["@concurrent/futures"] : [],
};
