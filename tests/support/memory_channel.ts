// The line to a worker inside this program: the worker's loop at one end, the executor's channel at the other. Every
// message is copied, as a real line copies it, and each direction keeps its order; nothing else is promised. This
// class does not decide when a message arrives: memory_backend.ts delivers by itself, tests/properties/network.ts as
// a random run says.

import type { ChannelEvents, WorkerChannel, WorkerExit } from "../../src/wire/channel.ts";
import { type ParentClaims, WordClaims, WordClaimsOfWorker, type WorkerClaims } from "../../src/wire/claims.ts";
import type { FromWorker, ToWorker } from "../../src/wire/messages.ts";
import { PageClaims, PageClaimsOfWorker } from "../../src/wire/page_claims.ts";
import { newPlace } from "../../src/wire/place.ts";
import { serve } from "../../src/worker/main.ts";
import "./invariants.ts";
import { MemoryPage } from "./memory_page.ts";

/** `true`: in words of memory, as those of threads; in a page, as those of processes; or none. */
export type ClaimsKind = boolean | "page";

/** All of them. */
export const CLAIMS_KINDS: readonly ClaimsKind[] = [true, "page", false];

/** Who has such claims, for the title of a test. */
export function ownersOf(claims: ClaimsKind): string {
  if (!claims) return "processes without a page";
  return claims === "page" ? "processes" : "threads";
}

/** What a worker in memory is like. */
export interface MemoryChannelOptions {
  /** Its claims: by default those of a thread. `false`: as a process that shares nothing with its parent. */
  readonly claims?: ClaimsKind;
  /** `false`: no loop serves the calls, so that the test can play the worker. */
  readonly served?: boolean;
  /** Bytes of memory that the worker uses. */
  readonly memory?: number;
}

/** The worker's end of a line: what the loop receives by, and what ends it in order. */
export interface LoopEnd {
  receive: (message: ToWorker) => void;
  stop: () => Promise<void> | undefined;
  end: (exitCode: number) => void;
}

/** Something that may happen next on a line. */
export interface Delivery {
  readonly to: "worker" | "parent" | "nobody";
  /** Makes it happen. `share`, from 0 to 1, is the part of its messages that survives a worker which dies of this. */
  readonly run: (share: number) => void;
}

/**
 * Starts a worker's loop in this program.
 *
 * @param send Gets a copy of each message of the worker.
 * @param memory How many bytes of memory the worker uses.
 * @param page The page that it shares with its parent.
 * @returns The worker's end of the line.
 */
export function startLoop(
  send: (message: FromWorker) => void,
  memory: () => number = () => 0,
  page: MemoryPage = new MemoryPage(),
): LoopEnd {
  const loop: Partial<LoopEnd> = {};
  serve({
    place: newPlace(),
    receive(onMessage, onStop) {
      loop.receive = onMessage;
      loop.stop = onStop;
    },
    send: (message, transfer) => send(structuredClone(message, transfer && { transfer })),
    clone: structuredClone,
    openPage: () => page,
    memory,
    excuse() {},
    beforeEnd: (fn) => loop.end = fn,
  });
  return loop as LoopEnd;
}

/** The executor's end of the line to one worker, and what a test may do to both. */
export class MemoryChannel implements WorkerChannel {
  readonly name: string;
  readonly claims: ParentClaims | undefined;
  /** The page of its claims, if they are in one. */
  readonly page = new MemoryPage();
  /** The worker's end of its claims, for a test that plays the worker. */
  readonly claimsOfWorker: WorkerClaims | undefined;
  /** What has reached a worker that no loop serves. */
  readonly inbox: ToWorker[] = [];
  /** Whether the worker lives. */
  alive = true;
  /** Whether the executor has been told that the worker is gone. */
  closed = false;
  keptAlive = true;
  endedBy: "stop" | "terminate" | "kill" | undefined;
  readonly #events: ChannelEvents;
  readonly #onDelivery: (delivery: Delivery) => void;
  /** What is under way in each direction, as what its arrival does. */
  readonly #toWorker: (() => void)[] = [];
  readonly #toParent: (() => void)[] = [];
  readonly #loop: LoopEnd | undefined;
  /** A signal is under way that ends the worker, whatever it does. */
  #signal: string | undefined;

  /**
   * Starts a worker.
   *
   * @param name Its name.
   * @param events What the executor wants to hear of it.
   * @param options What it is like.
   * @param onDelivery Called with each delivery when it becomes possible. One that is never run can still be found in
   *   {@linkcode MemoryChannel.deliveries}.
   */
  constructor(
    name: string,
    events: ChannelEvents,
    { claims = true, served = true, memory = 0 }: MemoryChannelOptions,
    onDelivery: (delivery: Delivery) => void = () => {},
  ) {
    this.name = name;
    this.#events = events;
    this.#onDelivery = onDelivery;
    const { page } = this;
    if (claims === true) {
      const words = this.claims = new WordClaims();
      this.claimsOfWorker = new WordClaimsOfWorker(words.shared);
    } else if (claims === "page") {
      this.claims = new PageClaims(page);
      this.claimsOfWorker = new PageClaimsOfWorker(page);
    }
    if (served) this.#loop = startLoop((message) => this.sendToParent(message), () => memory, page);
  }

  send(message: ToWorker, transfer?: Transferable[]): void {
    const copy = structuredClone(message, transfer && { transfer });
    this.#sendToWorker(() => this.#loop ? this.#loop.receive(copy) : this.inbox.push(copy));
  }

  readonly clone = structuredClone;

  keepAlive(alive: boolean): void {
    this.keptAlive = alive;
  }

  stop(): void {
    this.endedBy ??= "stop";
    this.#sendToWorker(() => {
      const end = () => {
        if (this.alive) this.#loop?.end(0);
        this.die({ exitCode: 0 }, 1);
      };
      const last = this.#loop?.stop();
      if (last) void last.then(end);
      else end();
    });
  }

  terminate(): void {
    this.endedBy ??= "terminate";
    this.#strike("SIGTERM");
  }

  kill(): void {
    this.endedBy ??= "kill";
    this.#strike("SIGKILL");
  }

  /** The worker sends a message: anything at all. It is under way then, and a dead worker sends nothing. */
  sendToParent(message: FromWorker | unknown): void {
    if (!this.alive) return;
    this.#toParent.push(() => this.say(message));
    this.#onDelivery(this.#parentDelivery);
  }

  /** The worker dies: the first `share` of what is under way from it still arrives, then the news of its end. */
  die(exit: WorkerExit, share: number): void {
    if (!this.alive) return;
    this.alive = false;
    this.#toWorker.length = 0;
    this.#toParent.length = Math.round(this.#toParent.length * share);
    this.#toParent.push(() => this.close(exit));
    this.#onDelivery(this.#parentDelivery);
  }

  /** Tells the executor something at once, past everything that is under way. */
  say(message: FromWorker | unknown): void {
    if (!this.closed) this.#events.onMessage(message as FromWorker);
  }

  /** The worker is gone, and the executor knows it at once; what is under way is lost. */
  close(exit: WorkerExit = {}): void {
    if (this.closed) return;
    this.alive = false;
    this.closed = true;
    this.#toWorker.length = this.#toParent.length = 0;
    this.#events.onClose(exit);
  }

  /** What may happen next on this line. */
  *deliveries(): Generator<Delivery> {
    if (this.#toWorker.length > 0) yield this.#workerDelivery;
    if (this.#toParent.length > 0) yield this.#parentDelivery;
    if (this.alive && this.#signal) yield this.#deadlyDelivery;
  }

  readonly #workerDelivery: Delivery = { to: "worker", run: () => this.#toWorker.shift()?.() };
  readonly #parentDelivery: Delivery = { to: "parent", run: () => this.#toParent.shift()?.() };
  readonly #deadlyDelivery: Delivery = { to: "nobody", run: (share) => this.die({ signal: this.#signal }, share) };

  #sendToWorker(arrival: () => void): void {
    if (!this.alive) return;
    this.#toWorker.push(arrival);
    this.#onDelivery(this.#workerDelivery);
  }

  #strike(signal: string): void {
    this.#signal ??= signal;
    this.#onDelivery(this.#deadlyDelivery);
  }
}
