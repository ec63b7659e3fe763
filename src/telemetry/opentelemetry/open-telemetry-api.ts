import { createRequire } from 'node:module';

/** The package `@opentelemetry/api`. */
export type OpenTelemetryApi = typeof import('@opentelemetry/api');

let loaded: OpenTelemetryApi | undefined;

/**
 * Loads `@opentelemetry/api` once. An `import` would fail without saying what to install. If the application has another copy of the
 * package, the two share what is registered in them.
 *
 * @throws {Error} If it is not installed.
 */
export function openTelemetryApi(): OpenTelemetryApi {
  loaded ??= load();
  return loaded;
}

function load(): OpenTelemetryApi {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api') as OpenTelemetryApi;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause;
    const message = 'express-mcp-auth/telemetry needs the package @opentelemetry/api: npm install @opentelemetry/api';
    throw new Error(message, { cause });
  }
}
