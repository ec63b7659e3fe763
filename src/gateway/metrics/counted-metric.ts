import type { Metric, Registry } from 'prom-client';
import type { SeriesOf } from './series-table.js';

/** A metric that is counted for every call, and read a few times a minute. */
export interface CountedMetric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** A value in the text for Prometheus. */
export interface MetricValue {
  /** Absent for the name of the metric itself. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Adds a metric whose values are made when a registry is read. */
export function addMetric(
  registries: readonly Registry[],
  type: 'counter' | 'histogram',
  { name, help }: CountedMetric,
  read: () => readonly MetricValue[],
): void {
  const get = async () => ({ name, help, type, aggregator: 'sum', values: read() });
  // A registry asks a metric for its name, and for its values by `get()`. prom-client exports no narrower type for that.
  for (const registry of registries) registry.registerMetric({ name, help, get } as unknown as Metric);
}

/** Returns the labels of a series by their names. */
export function labelsByName(
  { labelNames }: CountedMetric,
  { labels }: Pick<SeriesOf<unknown>, 'labels'>,
): Record<string, string> {
  return Object.fromEntries(labelNames.map((name, i) => [name, labels[i] ?? '']));
}
