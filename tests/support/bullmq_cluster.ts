// Tests across machines: each has a Redis server and a queue of its own, and whatever it starts ends with it.

import { test } from "node:test";
import { type Job, type JobsOptions, Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Host } from "../../src/bullmq/host/host.ts";
import { serve } from "../../src/bullmq/host/serve.ts";
import type { ServeOptions } from "../../src/bullmq/host/serve_options.ts";
import { Keys } from "../../src/bullmq/protocol.ts";
import { Cluster, type HostOptions } from "./bullmq_host.ts";
import { MODULES } from "./bullmq_tasks.ts";
import { needsRedis, type RedisOptions, RedisServer } from "./redis_server.ts";
import { Relay } from "./relay.ts";

/** How the cluster of a test is started. */
interface ClusterOptions extends RedisOptions {
  /** Hosts that take calls before the test begins, each in a program of its own. */
  readonly hosts?: readonly HostOptions[];
}

/** A cluster whose parts can also be in the test's program. */
export class TestCluster extends Cluster {
  readonly keys: Keys = new Keys("bull", this.queue);
  readonly #open: (() => Promise<unknown>)[] = [];

  /** The options of a queue. */
  get connection(): { readonly url: string } {
    return { url: this.server.url };
  }

  /** Opens a line to the server, for whoever is started after this: it stays until they have closed. */
  async relay(): Promise<Relay> {
    const relay = await Relay.start(this.server.url);
    this.#open.push(() => relay[Symbol.asyncDispose]());
    return relay;
  }

  /** Makes this program a host. */
  async serve(options: Partial<ServeOptions> = {}): Promise<Host> {
    const host = await serve({ queue: this.queue, connection: this.connection, tasks: MODULES, ...options });
    this.#open.push(() => host.close());
    return host;
  }

  /** Opens a connection, for commands by hand. */
  redis(): Redis {
    const redis = new Redis(this.server.url);
    this.#open.push(() => redis.quit());
    return redis;
  }

  /** Opens the queue, for jobs that no executor has made. */
  async jobs(): Promise<Jobs> {
    const options = { connection: this.connection };
    const queue = new Queue(this.queue, options);
    const events = new QueueEvents(this.queue, { ...options, lastEventId: "0-0" });
    queue.setMaxListeners(0); // each job that is waited for has one
    this.#open.push(() => queue.close(), () => events.close());
    await events.waitUntilReady();
    return new Jobs(queue, events);
  }

  /** Answers jobs as no host does. */
  answer(reply: (job: Job) => unknown): void {
    const worker = new Worker(this.queue, async (job) => await reply(job), { connection: this.connection });
    worker.on("error", () => {});
    this.#open.push(() => worker.close());
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    for (const close of this.#open.reverse()) await close();
  }
}

/** A queue as BullMQ has it. */
export class Jobs {
  readonly #queue: Queue;
  readonly #events: QueueEvents;

  constructor(queue: Queue, events: QueueEvents) {
    this.#queue = queue;
    this.#events = events;
  }

  /** Adds a job. */
  add(name: string, data: unknown, options?: JobsOptions): Promise<Job> {
    return this.#queue.add(name, data, options);
  }

  /** What a job returns. */
  replyTo(job: Job): Promise<unknown> {
    return job.waitUntilFinished(this.#events);
  }
}

/**
 * Registers a test.
 *
 * @param name Its name.
 * @param body The test.
 * @param options The server, and hosts that run from the beginning.
 */
export function clusterTest(
  name: string,
  body: (cluster: TestCluster) => Promise<void>,
  { hosts = [], ...options }: ClusterOptions = {},
): void {
  test(name, needsRedis, async () => {
    await using server = await RedisServer.start(options);
    await using cluster = new TestCluster(server);
    await Promise.all(hosts.map((host) => cluster.host(host)));
    await body(cluster);
  });
}
