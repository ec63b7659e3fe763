import type { Histogram } from 'prom-client';
import type { CountedMetric } from './counted.js';
import type { MetricTypes } from './metric-types.js';
import { labelled, type SeriesOf, SeriesTable } from './series.js';

/** The bounds of agentgateway's buckets, in seconds. */
export const BOUNDS: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80];

/** The durations of the calls of one series. */
class Durations {
  sum = 0;
  /** The durations up to each bound that are longer than the bound before, and last those that are longer than every bound. */
  readonly #counts = new Float64Array(BOUNDS.length + 1);

  add(seconds: number): void {
    let place = 0;
    while (place < BOUNDS.length && seconds > (BOUNDS[place] as number)) place++;
    (this.#counts[place] as number) += 1;
    this.sum += seconds;
  }

  /** Returns how many durations are no longer than each bound, and last how many there are. */
  upTo(): readonly number[] {
    let total = 0;
    return Array.from(this.#counts, (count) => {
      total += count;
      return total;
    });
  }
}

/**
 * Adds a histogram. Returns the function that counts a duration in seconds, and takes the labels in the order of their names. prom-client's
 * own histogram takes a microsecond for each duration, and cannot be given the counts of buckets.
 */
export function addDurations(
  { registers }: MetricTypes,
  { name, help, labelNames }: CountedMetric,
): (seconds: number, ...labels: string[]) => void {
  const series = new SeriesTable(() => new Durations());
  const read = async () => ({
    ...{ name, help, type: 'histogram', aggregator: 'sum' },
    values: series.all().flatMap((one) => valuesOf(name, labelNames, one)),
  });
  // A registry asks a metric for its name, and for its values by `get()`.
  for (const registry of registers) registry.registerMetric({ name, help, get: read } as unknown as Histogram);
  return (seconds, ...labels) => series.at(...labels).add(seconds);
}

/** Returns the values in the text format of Prometheus: a bucket for each bound, the sum and the count. */
function valuesOf(name: string, labelNames: readonly string[], series: SeriesOf<Durations>) {
  const labels = labelled(labelNames, series.labels);
  const counts = series.value.upTo();
  const buckets = counts.map((value, place) => ({
    metricName: `${name}_bucket`,
    labels: { le: BOUNDS[place] ?? '+Inf', ...labels },
    value,
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: series.value.sum },
    { metricName: `${name}_count`, labels, value: counts[counts.length - 1] },
  ];
}
