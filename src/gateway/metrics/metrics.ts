import { startLearningNames } from '../../telemetry/listed-names.js';
import { countCalls } from './call-counters.js';
import { countDecisions } from './decision-metrics.js';
import { addRouteGauges } from './route-gauges.js';
import { type MetricsSource, ServedRoutes } from './served-routes.js';

/** The metrics of a gateway, for Prometheus. */
export interface Metrics {
  /** The media type of the text. */
  readonly contentType: string;
  /** Resolves to the current values. */
  text(): Promise<string>;
  /** Counts no more. */
  close(): void;
}

/** Begins to count. Loads prom-client, which only the metrics need. */
export async function openMetrics(source: MetricsSource): Promise<Metrics> {
  const { Registry, Counter, Gauge } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  const served = new ServedRoutes(source);
  startLearningNames();
  const ends = [countCalls(registers, served), countDecisions(registers)];
  addRouteGauges({ Counter, Gauge, registers }, served);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close() {
      for (const end of ends) end();
    },
  };
}
