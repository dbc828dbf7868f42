// What aborts with a signal, with one listener for each signal.

/** What a signal stops. */
export interface Abortable {
  /** Called when the signal aborts. */
  abort(reason: unknown): void;
}

/** What a signal stops, whoever waits for it, and the listener for all of these. */
interface Watch {
  readonly stopped: Set<Abortable>;
  readonly onAbort: () => void;
}

/**
 * One listener for each signal: an AbortSignal looks through all of its listeners for each that is added, so that a listener
 * for each call or Future takes quadratic time. Weak: a signal that is gone needs none.
 */
const watches: WeakMap<AbortSignal, Watch> = new WeakMap();

/** Has `signal` abort `target`, from now until {@linkcode unwatchSignal}. */
export function watchSignal(signal: AbortSignal, target: Abortable): void {
  let watch = watches.get(signal);
  if (!watch) {
    const stopped = new Set<Abortable>();
    const onAbort = () => {
      for (const target of [...stopped]) target.abort(signal.reason);
    };
    watches.set(signal, watch = { stopped, onAbort });
  }
  if (watch.stopped.size === 0) signal.addEventListener("abort", watch.onAbort);
  watch.stopped.add(target);
}

/** Ends {@linkcode watchSignal}; the last one takes the listener with it. */
export function unwatchSignal(signal: AbortSignal, target: Abortable): void {
  const watch = watches.get(signal);
  if (watch?.stopped.delete(target) && watch.stopped.size === 0) signal.removeEventListener("abort", watch.onAbort);
}
