// Time that passes only when a test says so, so that a random run depends on its seed and on nothing else.

const { setTimeout, clearTimeout, setImmediate } = globalThis as typeof globalThis & {
  setImmediate(fn: () => void): unknown;
};
const { now } = performance;
const { random } = Math;

/** Resolves when all microtasks have run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A timer: an object, as Node's are, on every runtime. */
interface VirtualTimer {
  readonly due: number;
  readonly fn: () => void;
  keepsAlive: boolean;
  unref(): void;
}

/** Replaces the clock, the timers and Math.random(). */
export class VirtualTime {
  /** Callbacks of setImmediate() that have not been called. */
  readonly immediates: (() => void)[] = [];
  /** Called with each callback of setImmediate(); what it returns is called instead. */
  bind: (fn: () => void) => () => void = (fn) => fn;
  #now = 1000;
  readonly #timers = new Set<VirtualTimer>();

  /** Replaces the real ones, until {@linkcode VirtualTime.uninstall}. */
  install(): void {
    Object.assign(globalThis, {
      setTimeout: (fn: () => void, delay = 0) => {
        const timer: VirtualTimer = {
          due: this.#now + delay,
          fn,
          keepsAlive: true,
          unref() {
            this.keepsAlive = false;
          },
        };
        this.#timers.add(timer);
        return timer;
      },
      clearTimeout: (timer: VirtualTimer) => void this.#timers.delete(timer),
      setImmediate: (fn: () => void) => void this.immediates.push(this.bind(fn)),
    });
    Object.assign(performance, { now: () => this.#now });
    Object.assign(Math, { random: () => 0.5 });
  }

  /** Puts the real ones back. */
  uninstall(): void {
    Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate });
    Object.assign(performance, { now });
    Object.assign(Math, { random });
  }

  /** Whether a timer keeps the program alive. */
  get keepsAlive(): boolean {
    return [...this.#timers].some((timer) => timer.keepsAlive);
  }

  /** How many timers were neither cleared nor have fired. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass while something runs, so that no timer fires. */
  spend(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass. Timers that are due fire, one in a turn. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let timer = this.#next(); timer && timer.due <= end; timer = this.#next()) await this.#fire(timer);
    this.#now = end;
  }

  /** Lets time pass until the next timer fires. Returns false when there is none. */
  async fireNext(): Promise<boolean> {
    const timer = this.#next();
    if (timer) await this.#fire(timer);
    return timer !== undefined;
  }

  #next(): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.due < next.due) next = timer;
    }
    return next;
  }

  async #fire(timer: VirtualTimer): Promise<void> {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.due);
    timer.fn();
    await turn();
  }
}
