// Writes calls into messages. One message carries many calls, unless what is in one of them could harm another.

import { standApart } from "./apart.ts";
import { CALL_MASK } from "./claims.ts";
import { assertNotLocal, transfersOf } from "./marks.ts";
import type { Calls, ToWorker } from "./messages.ts";
import type { TaskRef } from "./task_ref.ts";

/** One message, and up to which call it goes. */
export interface Letter {
  readonly message: Extract<ToWorker, Calls | { kind: "run" }>;
  readonly transfer: Transferable[] | undefined;
  /** The number of the first call that is not in it. */
  readonly end: number;
  /** Tasks that it tells the worker. */
  readonly tasks: readonly (readonly [number, TaskRef])[];
}

const NO_TASKS: readonly never[] = [];

/** A call, as a message tells of it. */
export interface OutgoingCall {
  readonly task: { readonly number: number; readonly ref: TaskRef };
  readonly args: readonly unknown[];
  /** 1 for the first run, 2 for the first retry; `undefined` for a call that is neither stopped nor run again. */
  readonly attempt: number | undefined;
}

/** The calls of one worker, by number, in a ring; the place of a call that was withdrawn is empty. */
export type CallRing<C extends OutgoingCall = OutgoingCall> = (C | undefined)[];

/** Writes the calls of one worker. */
export class CallWriter {
  /** The numbers of the tasks that the worker has been told. */
  readonly #known = new Set<number>();

  /**
   * Writes calls from `first` on, as many as can share a message. Getters and proxies among the arguments may run: whatever
   * they do to the calls, the message stays right, as the worker steps over what was taken back.
   *
   * @param ring The calls.
   * @param first The number of the first.
   * @param last The number after the last.
   * @param exact Whether results must not wait for each other, and a process must say what it begins.
   * @returns The message. Throws a DataCloneError when an argument means nothing elsewhere.
   */
  write(ring: CallRing, first: number, last: number, exact: boolean): Letter {
    const calls = [] as unknown[] as Calls;
    const attempt = ring[first & CALL_MASK]?.attempt;
    let tasks: [number, TaskRef][] | undefined, transfer: Transferable[] | undefined;
    // Objects of the calls so far; `undefined` while there are none.
    let met: Set<object> | undefined, apart = true;
    let group = -1, end = first;
    for (; end < last && !transfer; end++) {
      const call = ring[end & CALL_MASK];
      if (!call) {
        group = -1;
        calls.push(NO_TASK, 0, 1);
        continue;
      }
      const { task, args } = call;
      let objects = false, moved: Transferable[] | undefined;
      for (let i = 0; i < args.length; i++) {
        const arg = args[i];
        if (typeof arg !== "object" || arg === null) continue;
        objects = true;
        assertNotLocal(arg);
        const marked = transfersOf(arg);
        if (marked) moved = moved ? moved.concat(marked) : [...marked];
      }
      if (objects) {
        // Deno (2.9) moves what there is to move even when another value cannot be cloned: so such a call is by itself.
        if (moved && end > first) break;
        if (met && (!apart || !standApart(args, met))) break;
        if (!met) apart = standApart(args, met = new Set());
      }
      if (group >= 0 && calls[group] === task.number && calls[group + 1] === args.length) {
        (calls[group + 2] as number)++;
      } else {
        group = calls.length;
        calls.push(task.number, args.length, 1);
        if (!this.#known.has(task.number) && !tasks?.some(([number]) => number === task.number)) {
          (tasks ??= []).push([task.number, task.ref]);
        }
      }
      for (let i = 0; i < args.length; i++) calls.push(args[i]);
      transfer = moved;
    }
    const plain = !tasks && !exact && attempt === undefined;
    const message = plain ? calls : { kind: "run", tasks, calls, exact, attempt } as const;
    return { message, transfer, end, tasks: tasks ?? NO_TASKS };
  }

  /** The worker has the message. */
  sent({ tasks }: Letter): void {
    for (const [number] of tasks) this.#known.add(number);
  }
}

/** Stands for a call that was taken back before it was sent: the worker steps over it. */
const NO_TASK = -1;
