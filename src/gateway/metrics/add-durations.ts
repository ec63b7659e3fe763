import type { Registry } from 'prom-client';
import { addMetric, type CountedMetric, labelsByName, type MetricValue } from './counted-metric.js';
import { type SeriesOf, SeriesTable } from './series-table.js';

/** The bounds of agentgateway's buckets, in seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80];

/** The durations of the calls of one series. */
class Durations {
  sum = 0;
  /** The count of each bucket, not cumulative. The last bucket has no upper bound. */
  readonly #counts = new Float64Array(BOUNDS.length + 1);

  add(seconds: number): void {
    let place = 0;
    while (place < BOUNDS.length && seconds > (BOUNDS[place] as number)) place++;
    (this.#counts[place] as number) += 1;
    this.sum += seconds;
  }

  /** Returns how many durations are no longer than each bound. The last is the number of all. */
  cumulativeCounts(): readonly number[] {
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
  registries: readonly Registry[],
  metric: CountedMetric,
): (seconds: number, ...labels: string[]) => void {
  const series = new SeriesTable(() => new Durations());
  addMetric(registries, 'histogram', metric, () => series.all().flatMap((each) => valuesOf(metric, each)));
  return (seconds, ...labels) => series.at(...labels).add(seconds);
}

/** Returns the values in the text format of Prometheus: a bucket for each bound, the sum and the count. */
function valuesOf(metric: CountedMetric, series: SeriesOf<Durations>): MetricValue[] {
  const { name } = metric;
  const labels = labelsByName(metric, series);
  const counts = series.value.cumulativeCounts();
  const buckets = counts.map((value, place) => ({
    metricName: `${name}_bucket`,
    labels: { le: BOUNDS[place] ?? '+Inf', ...labels },
    value,
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: series.value.sum },
    { metricName: `${name}_count`, labels, value: counts[counts.length - 1] as number },
  ];
}
