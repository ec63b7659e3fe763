import { AsyncLocalStorage } from 'node:async_hooks';

/** The data of a log line in addition to its text. Loggers of applications never get them. */
export interface LogFields {
  /** The place of the route in the configuration file. */
  readonly route?: string;
  readonly requestId?: string;
  /** A code of docs/errors.md. */
  readonly code?: string;
  /** The fields of an access log. */
  readonly [name: string]: unknown;
}

const ofRequest = new AsyncLocalStorage<LogFields | undefined>();

/** Runs the handling of a request. The lines that it causes have these fields, even after it has awaited something. */
export function runWithFields(fields: LogFields, run: () => void): void {
  ofRequest.run(fields, run);
}

/** Returns the fields of the request that is being handled. */
export function fieldsOfRequest(): LogFields | undefined {
  return ofRequest.getStore();
}

/** Runs what outlives the request that causes it, such as a child: later lines about it are not about that request. */
export function runOutsideRequest<T>(run: () => T): T {
  // Outside a request, run() is not called: on Node 20 it makes every promise of the process slower.
  return ofRequest.getStore() === undefined ? run() : ofRequest.run(undefined, run);
}
