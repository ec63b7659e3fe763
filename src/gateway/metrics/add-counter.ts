import type { Registry } from 'prom-client';
import { addMetric, type CountedMetric, labelsByName } from './counted-metric.js';
import { SeriesTable } from './series-table.js';

/** Adds a counter. Returns the function that adds 1 for these labels, given in the order of their names. */
export function addCounter(registries: readonly Registry[], metric: CountedMetric): (...labels: string[]) => void {
  const series = new SeriesTable(() => ({ count: 0 }));
  addMetric(registries, 'counter', metric, () =>
    series.all().map((each) => ({ labels: labelsByName(metric, each), value: each.value.count })),
  );
  return (...labels) => {
    series.at(...labels).count += 1;
  };
}
