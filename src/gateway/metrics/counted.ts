import type { MetricTypes } from './metric-types.js';
import { labelled, SeriesTable } from './series.js';

/** A metric that is counted for every call, and read a few times a minute. */
export interface CountedMetric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** Adds a counter. Returns the function that adds 1 for these labels, given in the order of the names. prom-client gets the counts when they are read. */
export function addCounter({ Counter, registers }: MetricTypes, metric: CountedMetric): (...labels: string[]) => void {
  const series = new SeriesTable(() => ({ count: 0 }));
  new Counter({
    ...metric,
    labelNames: [...metric.labelNames],
    registers,
    collect() {
      this.reset();
      for (const { labels, value } of series.all()) this.inc(labelled(metric.labelNames, labels), value.count);
    },
  });
  return (...labels) => {
    series.at(...labels).count += 1;
  };
}
