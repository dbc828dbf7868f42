// The password of a Redis server, and the operator who changes it.

import { Redis } from "ioredis";
import type { RedisServer } from "../../../tests/support/redis_server.ts";

const OPERATOR = "operator";

/** The users of the server: all, and one whose password stays. */
export function usersWith(password: string): string[] {
  return [`user default on >${password} ~* &* +@all`, `user ${OPERATOR} on >${OPERATOR} ~* &* +@all`];
}

/** The passwords of a run, one after the other. */
export class Passwords {
  readonly #server: RedisServer;
  #number = 1;

  constructor(server: RedisServer) {
    this.#server = server;
  }

  /** The one that programs have that start now. */
  get current(): string {
    return `password-${this.#number}`;
  }

  /** Changes it. */
  next(): string {
    this.#number++;
    return this.current;
  }

  /** Runs commands as the operator, past all lines. */
  async operate(work: (redis: Redis) => Promise<unknown>): Promise<void> {
    const { port } = new URL(this.#server.url);
    const redis = new Redis({ host: "127.0.0.1", port: Number(port), username: OPERATOR, password: OPERATOR });
    try {
      await work(redis);
    } finally {
      redis.disconnect();
    }
  }
}

/** The first password of a run. */
export const FIRST_PASSWORD = "password-1";

/**
 * Sets the passwords that the server takes, over a restart, too.
 *
 * @param redis The operator's connection.
 * @param passwords The passwords.
 * @param cut Whether everybody has to connect again: who is connected already is not asked.
 */
export async function setPasswords(redis: Redis, passwords: readonly string[], cut: boolean): Promise<void> {
  await redis.call("ACL", "SETUSER", "default", "resetpass", ...passwords.map((password) => `>${password}`));
  await redis.call("ACL", "SAVE");
  if (cut) await redis.call("CLIENT", "KILL", "USER", "default");
}
