import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { adviceFor } from '../core/advice.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { isServedMetadata } from '../oauth/served-metadata.js';
import { resourceMetadataPath } from '../oauth/well-known.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** Logs a warning, once each, about middlewares mounted in the wrong place: otherwise only clients notice that. */
export interface SetupHints {
  /** To be called when a request without a token is refused. */
  onRefusal(req: IncomingMessage): void;
}

/** @param options As the user gave them: the advice uses the words of their form, JavaScript or the configuration file. */
export function createSetupHints(
  options: object,
  { logger, resource }: Pick<ResolvedAuth, 'logger' | 'resource'>,
): SetupHints {
  const { preflight } = adviceFor(options, 'mcpAuth()');
  const path = resourceMetadataPath(resource?.pathname ?? '/');
  // Tenants have one path each, so none is watched.
  let isWatching = resource?.tenants !== undefined;
  let hasWarned = false;
  return {
    onRefusal(req) {
      if (!isWatching) {
        isWatching = true;
        watch({ server: new WeakRef(serverOf(req)), path, warn: (status) => logger.warn(missing(path, status)) });
      }
      if (hasWarned || req.method !== 'OPTIONS' || !isPreflight(req)) return;
      hasWarned = true;
      logger.warn(
        `mcpAuth(): a browser's preflight request was refused, because preflights carry no token: ${preflight}`,
      );
    },
  };
}

/** Fetch standard, "CORS-preflight request". */
function isPreflight({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

function missing(path: string, status: number): string {
  return (
    `mcpAuth(): clients cannot find out how to log in: something other than this package answered ${path}, with ${status}. ` +
    'Mount protectedResourceMetadata() with the same policy at the root of the app, outside any Router and without a path prefix'
  );
}

/** Returns the socket if it belongs to no server: no response event has it as its server. */
function serverOf({ socket }: IncomingMessage): object {
  return (socket as { server?: object }).server ?? socket;
}

/** A metadata path to watch until the first client has fetched it. */
interface Watch {
  readonly server: WeakRef<object>;
  readonly path: string;
  /** Called if something other than this package answered, without a JSON document. */
  warn(status: number): void;
}

const FINISHED = 'http.server.response.finish';

/** Limits the memory of an application that creates a policy for each request. */
const MAX_WATCHES = 100;

const watches = new Set<Watch>();

function watch(each: Watch): void {
  if (watches.size >= MAX_WATCHES) forgetClosedServers();
  if (watches.size >= MAX_WATCHES) return;
  if (watches.size === 0) subscribe(FINISHED, onFinished);
  watches.add(each);
}

/** No client can fetch a path of such a server any more. */
function forgetClosedServers(): void {
  for (const each of watches) {
    const server = each.server.deref() as { readonly listening?: boolean } | undefined;
    if (server?.listening !== true) forget(each);
  }
}

function forget(each: Watch): void {
  watches.delete(each);
  if (watches.size === 0) unsubscribe(FINISHED, onFinished);
}

function onFinished(message: unknown): void {
  const { request, response, server } = message as {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly server: Server;
  };
  if (request.method !== 'GET') return;
  const path = rawPath(requestTarget(request));
  for (const each of watches) {
    if (each.path !== path || each.server.deref() !== server) continue;
    if (!isConclusive(response.statusCode) && !isServedMetadata(request)) continue;
    forget(each);
    if (!isDocument(request, response)) each.warn(response.statusCode);
  }
}

/**
 * True if a status shows what is mounted at a path. These do not: 304 (the client has a copy), those of a malformed or too
 * large request (400 and others), 429 (too many requests), and 5xx (a failure).
 */
function isConclusive(status: number): boolean {
  return status < 500 && ![304, 400, 408, 413, 414, 429, 431].includes(status);
}

/** The application may serve its own JSON document. A page that a web application serves at every path does not count. */
function isDocument(request: IncomingMessage, response: ServerResponse): boolean {
  const isJson = /^application\/(?:[\w.]+\+)?json/i.test(String(response.getHeader('content-type')));
  return isServedMetadata(request) || (response.statusCode < 400 && isJson);
}
