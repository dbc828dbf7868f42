// Tries every order in which the two ends of a page of claims can read and write its bytes. The ends are the real ones. Their
// code is synchronous, so it cannot wait in the middle: an end is run from its beginning for each step, with what it has read
// before, until it comes to an access that is new.

import { assert } from "@std/assert";
import type { Upcoming } from "../../src/wire/claims.ts";
import { type OwnPage, PAGE_SIZE, PageClaims, PageClaimsOfWorker } from "../../src/wire/page_claims.ts";

/** What the parent does, in order. Calls are numbered from 0 in the order in which they were offered. */
export type ParentStep =
  | { readonly withdraw: readonly number[] } // the youngest first
  | { readonly hasBegun: number };

/** What the worker does, in order. */
export type WorkerStep = "begin" | "pause" | "slow";

/** What both do at the same time. */
export interface Plan {
  readonly parent: readonly ParentStep[];
  readonly worker: readonly WorkerStep[];
  /** How many short calls the worker has begun before: after 16, it announces 2 at once, after 32, 3. */
  readonly before: number;
  /** The number of the first call. */
  readonly base: number;
  /** The end whose reads overtake its writes, as if a processor or a programmer had swapped them. */
  readonly swapped?: "parent" | "worker";
}

/** One access to one byte. */
type Access = { readonly at: number; readonly value: number | undefined };

/** A page as one end sees it while it is run again: known accesses are answered from the log, the first new one is noted. */
class ReplayedPage implements OwnPage {
  readonly shared = 4;
  /** The first access that is not in the log. */
  next: Access | undefined;
  #done = 0;
  #late: Access[] = [];
  readonly #log: readonly number[];
  readonly #swaps: boolean;

  constructor(log: readonly number[], swaps: boolean) {
    this.#log = log;
    this.#swaps = swaps;
  }

  read(at: number, bytes: Uint8Array, start: number, count: number): void {
    for (let i = start; i < start + count; i++) bytes[i] = this.#access({ at: at + i, value: undefined });
    this.flush();
  }

  write(at: number, bytes: Uint8Array, start: number, count: number): void {
    for (let i = start; i < start + count; i++) this.#late.push({ at: at + i, value: bytes[i]! });
    if (!this.#swaps) this.flush();
  }

  /** Does the writes that are late. */
  flush(): void {
    for (const access of this.#late.splice(0)) this.#access(access);
  }

  close(): void {}

  #access(access: Access): number {
    if (!this.next && this.#done < this.#log.length) return this.#log[this.#done++]!;
    this.next ??= access;
    throw new Error("paused here");
  }
}

/** What an end has done when it stops, and the access that it stops at. */
interface Run {
  readonly next: Access | undefined;
}

interface ParentRun extends Run {
  readonly withdrawn: ReadonlySet<number>;
  /** Calls that hasBegun() said no of, in its last step. */
  readonly free: number | undefined;
  readonly claims: PageClaims;
}

interface WorkerRun extends Run {
  readonly begun: ReadonlySet<number>;
  readonly skipped: ReadonlySet<number>;
}

/** Both ends at one moment. */
interface State {
  readonly bytes: Uint8Array;
  readonly parent: readonly number[];
  readonly worker: readonly number[];
}

/** What can happen in a plan. */
export interface Outcomes {
  /** How many states there are. */
  readonly states: number;
  /** In how many orders a call is withdrawn, runs, and was skipped and is offered anew. */
  readonly withdrawn: number;
  readonly begun: number;
  readonly again: number;
}

/** Tries every order; throws when one is wrong. */
export function explore(plan: Plan): Outcomes {
  const clock = performance.now;
  let now = 0;
  performance.now = () => now;
  try {
    return new Model(plan, (ms) => now += ms).explore();
  } finally {
    performance.now = clock;
  }
}

class Model {
  readonly #plan: Plan;
  readonly #pass: (ms: number) => void;
  readonly #count: number;
  readonly #seen = new Set<string>();
  readonly #ends = { withdrawn: 0, begun: 0, again: 0 };

  constructor(plan: Plan, pass: (ms: number) => void) {
    this.#plan = plan;
    this.#pass = pass;
    this.#count = plan.worker.filter((step) => step === "begin").length;
  }

  explore(): Outcomes {
    const open: State[] = [{ bytes: new Uint8Array(PAGE_SIZE), parent: [], worker: [] }];
    for (let state = open.pop(); state; state = open.pop()) {
      const key = `${state.parent}|${state.worker}|${this.#bytesOf(state)}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const parent = this.#runParent(state.parent), worker = this.#runWorker(state.worker);
      this.#check(parent, worker, state);
      if (parent.next) open.push(step(state, "parent", parent.next));
      if (worker.next) open.push(step(state, "worker", worker.next));
    }
    return { states: this.#seen.size, ...this.#ends };
  }

  /** The bytes that matter. */
  #bytesOf({ bytes }: State): string {
    const slots = Array.from({ length: this.#count }, (_, n) => this.#number(n) & (PAGE_SIZE / 2 - 1));
    return String(slots.flatMap((slot) => [bytes[slot], bytes[slot + PAGE_SIZE / 2]]));
  }

  #number(call: number): number {
    return this.#plan.base + call;
  }

  /** @param last What the parent does after its plan: the worker is gone. */
  #runParent(log: readonly number[], last?: readonly number[]): ParentRun {
    const page = new ReplayedPage(log, this.#plan.swapped === "parent");
    const claims = new PageClaims(page);
    const withdrawn = new Set<number>();
    let free: number | undefined;
    for (let call = 0; call < this.#count; call++) claims.offer(this.#number(call));
    const steps = last ? [...this.#plan.parent, { withdraw: last }] : this.#plan.parent;
    for (const step of steps) {
      let count = 0, begun = true, wanted: number[] = [];
      if ("withdraw" in step) {
        wanted = step.withdraw.filter((call) => !withdrawn.has(call));
        count = claims.withdrawYoungest(wanted.map((call) => this.#number(call)));
      } else begun = claims.hasBegun(this.#number(step.hasBegun));
      paused(() => page.flush());
      if (page.next) break;
      for (const call of wanted.slice(0, count)) withdrawn.add(call);
      free = begun || withdrawn.has((step as { hasBegun: number }).hasBegun)
        ? undefined
        : (step as { hasBegun: number }).hasBegun;
    }
    return { next: page.next, withdrawn, free, claims };
  }

  #runWorker(log: readonly number[]): WorkerRun {
    const { before, base, worker, swapped } = this.#plan;
    const page = new ReplayedPage(log, swapped === "worker");
    // What it did before is not looked at: on another page, a lap of the ring earlier.
    let now: OwnPage = { shared: 4, read() {}, write() {}, close() {} };
    const claims = new PageClaimsOfWorker({
      read: (at, bytes, start, count) => now.read(at, bytes, start, count),
      write: (at, bytes, start, count) => now.write(at, bytes, start, count),
    });
    for (let call = base - before; call < base; call++) {
      claims.begin(call, undefined);
      this.#pass(0.001);
    }
    now = page;
    const begun = new Set<number>(), skipped = new Set<number>();
    let next = 0;
    for (const step of worker) {
      const call = next;
      const upcoming: Upcoming = { countAhead: (most) => Math.min(most, this.#count - call) };
      const goes = paused(() => {
        if (step === "begin") return claims.begin(this.#number(next++), upcoming);
        if (step === "pause") claims.pause();
        else {
          this.#pass(2);
          claims.look(performance.now());
        }
        return undefined;
      });
      if (page.next) break;
      if (goes !== undefined) (goes ? begun : skipped).add(call);
      this.#pass(0.001);
    }
    paused(() => page.flush());
    return { next: page.next, begun, skipped };
  }

  #check(parent: ParentRun, { next, begun, skipped }: WorkerRun, state: State): void {
    for (const call of begun) assert(!parent.withdrawn.has(call), `call ${call} is withdrawn and has begun`);
    if (parent.free !== undefined && !parent.next) this.#checkFree(parent, begun, state);
    if (!parent.next && !next) {
      for (let call = 0; call < this.#count; call++) {
        const isAgain = skipped.has(call) && !parent.withdrawn.has(call);
        assert(begun.has(call) || parent.withdrawn.has(call) || isAgain, `call ${call} is lost`);
        this.#ends[isAgain ? "again" : begun.has(call) ? "begun" : "withdrawn"]++;
        if (isAgain) assert(parent.claims.mayHaveSkipped(this.#number(call)), `the parent refuses call ${call}`);
      }
    }
    if (!parent.next) this.#checkDeath(parent, begun, state);
  }

  /** A call that had not begun can be withdrawn, while the worker does nothing else. */
  #checkFree({ free }: ParentRun, begun: ReadonlySet<number>, state: State): void {
    const { withdrawn } = this.#finish(state, [free!]);
    if (!begun.has(free!)) assert(withdrawn.has(free!) || this.#wasAnnounced(state, free!), `call ${free} is free`);
  }

  #wasAnnounced({ bytes }: State, call: number): boolean {
    return bytes[this.#number(call) & (PAGE_SIZE / 2 - 1)] !== 0;
  }

  /** The worker dies at this moment: what counts as not begun has not. */
  #checkDeath({ withdrawn }: ParentRun, begun: ReadonlySet<number>, state: State): void {
    const held: number[] = [];
    for (let call = this.#count - 1; call >= 0; call--) if (!withdrawn.has(call)) held.push(call);
    const after = this.#finish(state, held);
    for (const call of begun) assert(!after.withdrawn.has(call), `call ${call} has begun, and counts as not begun`);
    // Not more than what it had announced counts as begun: the calls behind that have not.
    for (const call of held) {
      if (this.#wasAnnounced(state, call)) break;
      assert(after.withdrawn.has(call), `call ${call} counts as begun`);
    }
  }

  /** Lets the parent withdraw calls alone. */
  #finish(state: State, calls: readonly number[]): ParentRun {
    for (let now = state;;) {
      const run = this.#runParent(now.parent, calls);
      if (!run.next) return run;
      now = step(now, "parent", run.next);
    }
  }
}

/** Does something that may stop at a new access. */
function paused<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** One end does its next access. */
function step(state: State, side: "parent" | "worker", { at, value }: Access): State {
  const bytes = value === undefined ? state.bytes : state.bytes.slice();
  if (value !== undefined) bytes[at] = value;
  return { ...state, bytes, [side]: [...state[side], bytes[at]!] };
}
