// Starts a Redis server which it does not end, says where that is, and ends or waits for its own end.

import process from "node:process";
import { RedisServer } from "../redis_server.ts";

const server = await RedisServer.start();
// deno-lint-ignore no-console -- the test reads it
console.log(server.url, server.pid);
if (process.argv[2] === "is killed") setInterval(() => {}, 1_000);
