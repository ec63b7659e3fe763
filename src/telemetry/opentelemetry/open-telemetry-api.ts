import { createRequire } from 'node:module';

/** The package `@opentelemetry/api`. */
export type OpenTelemetryApi = typeof import('@opentelemetry/api');

let loaded: OpenTelemetryApi | undefined;

/**
 * Loads `@opentelemetry/api` once. Not with `import`, whose error does not say what to install. The copy that the application has
 * imported shares with this one what is registered in it.
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
