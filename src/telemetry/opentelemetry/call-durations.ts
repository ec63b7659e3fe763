import type { Attributes, Histogram, Meter, MeterProvider } from '@opentelemetry/api';
import { INSTRUMENTATION_NAME } from './instrumentation-name.js';

/** The bounds of the buckets, in seconds, that the conventions give. */
const BOUNDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

interface Durations {
  readonly server: Histogram;
  readonly client: Histogram;
  readonly session: Histogram;
}

/** The metrics of calls. */
export class CallDurations {
  readonly #providerOf: () => MeterProvider;
  #provider: MeterProvider | undefined;
  #durations: Durations | undefined;

  /** @param providerOf Called for each call, because the application may start its SDK later. */
  constructor(providerOf: () => MeterProvider) {
    this.#providerOf = providerOf;
  }

  /** Records the duration of a call that has arrived here. */
  recordServer(durationMs: number, attributes: Attributes): void {
    this.#current().server.record(durationMs / 1_000, attributes);
  }

  /** Records the duration of a call to a target. */
  recordClient(durationMs: number, attributes: Attributes): void {
    this.#current().client.record(durationMs / 1_000, attributes);
  }

  /** Records the duration of a session of a client. */
  recordSession(durationMs: number, attributes: Attributes): void {
    this.#current().session.record(durationMs / 1_000, attributes);
  }

  #current(): Durations {
    const provider = this.#providerOf();
    if (this.#durations === undefined || provider !== this.#provider) {
      this.#provider = provider;
      this.#durations = createDurations(provider.getMeter(INSTRUMENTATION_NAME));
    }
    return this.#durations;
  }
}

function createDurations(meter: Meter): Durations {
  const duration = (name: string, description: string) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BOUNDS } });
  return {
    server: duration('mcp.server.operation.duration', 'The duration of a call, from its arrival to its answer.'),
    client: duration('mcp.client.operation.duration', 'The duration of a call to a target, until it answered.'),
    session: duration('mcp.server.session.duration', 'The duration of a session, from its first request to its end.'),
  };
}
