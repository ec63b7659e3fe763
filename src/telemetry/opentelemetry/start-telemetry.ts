import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { createChecks, type OptionChecks } from '../../options/checks.js';
import { type OptionTable, readOptions } from '../../options/option-table.js';
import { callTracer } from '../call-tracer.js';
import { startLearningNames } from '../listed-names.js';
import { openTelemetryApi } from './open-telemetry-api.js';
import { SpanTracer } from './span-tracer.js';

/** The options of `startTelemetry()`. */
export interface TelemetryOptions {
  /** Makes the spans. @default the provider registered with `@opentelemetry/api`, also one that is registered later */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Makes the metrics. @default the provider registered with `@opentelemetry/api`, also one that is registered later */
  readonly meterProvider?: MeterProvider | undefined;
}

/** The telemetry that `startTelemetry()` has started. */
export interface Telemetry {
  /** Makes no more spans and metrics. */
  stop(): void;
}

const STARTED_FIX =
  'It has been started already in this process: remove this call, or call stop() of the first one before.';
const PROVIDER_FIX = 'Leave it out for the provider that the SDK of OpenTelemetry registers.';

export const TELEMETRY_TABLE = {
  tracerProvider: {
    read: (checks, value, option) => readProvider<TracerProvider>(checks, value, option, 'getTracer'),
  },
  meterProvider: {
    read: (checks, value, option) => readProvider<MeterProvider>(checks, value, option, 'getMeter'),
  },
} satisfies OptionTable<TelemetryOptions>;

function readProvider<T>(checks: OptionChecks, value: unknown, option: string, method: string): T | undefined {
  if (value === undefined) return undefined;
  const isProvider = typeof (value as { readonly [name: string]: unknown } | null)?.[method] === 'function';
  return isProvider
    ? (value as T)
    : checks.refuseUnquoted(option, `a provider of OpenTelemetry, with ${method}()`, PROVIDER_FIX);
}

/**
 * Makes OpenTelemetry spans and metrics of all MCP calls in this process, by OpenTelemetry's semantic conventions for MCP: a span for each call
 * that arrives, and one for each call to a target. Spans continue the client's trace, and targets get it. Neither spans nor metrics contain
 * arguments, results or tokens. The SDK of OpenTelemetry, whose exporters send them, may be started before or after it.
 *
 * @example
 * ```ts
 * import { startTelemetry } from 'express-mcp-auth/telemetry';
 *
 * startTelemetry();
 * ```
 *
 * @throws {ConfigError} If it has been started already, or an option is not valid.
 */
export function startTelemetry(options: Readonly<TelemetryOptions> = {}): Telemetry {
  const checks = createChecks('startTelemetry()');
  const given = { ...checks.record(options, 'options', 'Write startTelemetry().') };
  const { tracerProvider, meterProvider } = readOptions(checks, TELEMETRY_TABLE, given);
  if (callTracer.current !== undefined)
    checks.refuseUnquoted('options', 'given to one startTelemetry() at a time', STARTED_FIX);
  return useTracer(tracerProvider, meterProvider, new Set());
}

/** Like {@link startTelemetry}, with names of attributes that spans do not get. */
export function useTracer(
  tracerProvider: TracerProvider | undefined,
  meterProvider: MeterProvider | undefined,
  removed: ReadonlySet<string>,
): Telemetry {
  const { trace, metrics } = openTelemetryApi();
  const tracer = new SpanTracer({
    tracerProvider: () => tracerProvider ?? trace.getTracerProvider(),
    meterProvider: () => meterProvider ?? metrics.getMeterProvider(),
    removed,
  });
  startLearningNames();
  callTracer.current = tracer;
  return {
    stop() {
      if (callTracer.current === tracer) callTracer.current = undefined;
    },
  };
}
