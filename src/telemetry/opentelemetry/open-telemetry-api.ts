import { loadPackage } from '../../core/load-package.js';

/** The package `@opentelemetry/api`. */
export type OpenTelemetryApi = typeof import('@opentelemetry/api');

const WHO = 'express-mcp-auth/telemetry';

let loaded: OpenTelemetryApi | undefined;

/**
 * Loads `@opentelemetry/api` once. An `import` would fail without saying what to install. If the application has another copy of the
 * package, the two share what is registered in them.
 *
 * @throws {Error} If it is not installed.
 */
export function openTelemetryApi(): OpenTelemetryApi {
  loaded ??= loadPackage(WHO, '@opentelemetry/api', 'npm install @opentelemetry/api') as OpenTelemetryApi;
  return loaded;
}
