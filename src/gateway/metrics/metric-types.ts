import type { Registry } from 'prom-client';

/** The kinds of metrics of prom-client, and the registry for those of one gateway. */
export interface MetricTypes extends Pick<typeof import('prom-client'), 'Counter' | 'Gauge'> {
  readonly registers: Registry[];
}
