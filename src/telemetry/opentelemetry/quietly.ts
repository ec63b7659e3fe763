import { openTelemetryApi } from './open-telemetry-api.js';

/**
 * Returns what `work` returns. Undefined if OpenTelemetry throws: samplers, processors and exporters of the application run in it, and an
 * error in them must neither change an answer nor end the process.
 */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    report(error);
    return undefined;
  }
}

function report(error: unknown): void {
  try {
    openTelemetryApi().diag.error(
      'express-mcp-auth: a span or a metric of a call is missing, because of an error',
      error,
    );
  } catch {
    // The application has no working log for OpenTelemetry either.
  }
}
