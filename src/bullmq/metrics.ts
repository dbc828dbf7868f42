// Numbers in Prometheus' text format: what a scraper of a host or a submitter reads.
// https://prometheus.io/docs/instrumenting/exposition_formats/

import type { CallStats, FailureCounts } from "../executor/stats.ts";

/** The content type of the format. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Upper bounds of the durations that are told apart, in seconds: from a trivial call over Redis to one of some minutes. */
const BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] as const;

/** Labels of numbers, by name. */
export interface MetricLabels {
  /** The text of a label. */
  readonly [label: string]: string;
}

/** The name of the method of an executor that writes what it knows beyond its `stats()`. */
export const MORE_METRICS: unique symbol = Symbol("more metrics");

/** An executor that may know more than its `stats()`. */
interface MeasuredExecutor {
  [MORE_METRICS]?(labels: MetricLabels): string;
}

/** One number, with the labels that tell it from others of its name. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What all numbers of one name are. */
export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** How long calls took: counts by upper bound. */
export class Durations {
  readonly #counts: number[] = BOUNDS.map(() => 0);
  #count = 0;
  #sum = 0;

  /** Adds a call that took so many milliseconds. */
  add(ms: number): void {
    const seconds = ms / 1000;
    this.#count++;
    this.#sum += seconds;
    for (let i = BOUNDS.length - 1; i >= 0 && seconds <= BOUNDS[i]!; i--) this.#counts[i]!++;
  }

  /** The histogram in the format. */
  write(name: string, help: string, labels: Readonly<Record<string, string>>): string {
    const buckets = BOUNDS.map((le, i) => line(`${name}_bucket`, { ...labels, le: String(le) }, this.#counts[i]!));
    return [
      ...head(name, "histogram", help),
      ...buckets,
      line(`${name}_bucket`, { ...labels, le: "+Inf" }, this.#count),
      line(`${name}_sum`, labels, this.#sum),
      line(`${name}_count`, labels, this.#count),
      "",
    ].join("\n");
  }
}

/**
 * Writes numbers in the format.
 *
 * @param metrics The numbers.
 * @param labels Labels of all of them.
 */
export function writeMetrics(metrics: readonly Metric[], labels: Readonly<Record<string, string>>): string {
  return metrics.flatMap(({ name, type, help, samples }) => [
    ...head(name, type, help),
    ...samples.map((sample) => line(name, { ...labels, ...sample.labels }, sample.value)),
    "",
  ]).join("\n");
}

/**
 * Writes what an executor is doing in the text format of Prometheus, for the `/metrics` of a program that submits calls. It
 * works for every executor, that of threads included, and tells why calls have failed by the words of
 * {@linkcode FailureCounts}. Of a {@linkcode BullMQExecutor}, it also has how long calls took until their results were here, and
 * how often the connection to Redis was lost.
 *
 * @param executor The executor.
 * @param labels Labels for all numbers, such as the name of the executor.
 * @returns The text. Its content type is `text/plain; version=0.0.4`.
 *
 * @example A page for the scraper
 * ```ts
 * import { ThreadPoolExecutor } from "@concurrent/futures";
 * import { metricsOf } from "@concurrent/futures/bullmq";
 * import assert from "node:assert/strict";
 *
 * await using executor = new ThreadPoolExecutor({ maxWorkers: 1 });
 * await executor.submit(() => 1);
 * const text = metricsOf(executor, { executor: "images" });
 * assert.match(text, /futures_calls_total\{executor="images",outcome="completed"\} 1/);
 * ```
 */
export function metricsOf(executor: { stats(): CallStats }, labels: MetricLabels = {}): string {
  const { queued, running, completed, failedBy, cancelled, lost } = executor.stats();
  const counts = writeMetrics([
    {
      name: "futures_calls_total",
      type: "counter",
      help: "Calls of this program that are done, by how they ended, and by why they failed.",
      samples: [
        { labels: { outcome: "completed" }, value: completed },
        ...failures(failedBy),
        { labels: { outcome: "cancelled" }, value: cancelled },
      ],
    },
    gauge("futures_calls_queued", "Calls of this program that no worker has begun.", queued),
    gauge("futures_calls_running", "Calls of this program that a worker has begun.", running),
    {
      name: "futures_workers_lost_total",
      type: "counter",
      help: "Workers that ended without being asked to; with hosts, losses of a host with a call of this program.",
      samples: [{ value: lost }],
    },
  ], labels);
  return counts + ((executor as MeasuredExecutor)[MORE_METRICS]?.(labels) ?? "");
}

/** Calls that have failed, by why: the samples of a host and of a submitter have the same labels. */
export function failures(counts: Partial<FailureCounts>): Sample[] {
  return Object.entries(counts).map(([by, value]) => ({ labels: { outcome: "failed", by }, value }));
}

/** A number that goes up and down. */
export function gauge(name: string, help: string, value: number): Metric {
  return { name, type: "gauge", help, samples: [{ value }] };
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

function escape(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`);
}
