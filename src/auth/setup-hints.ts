import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { adviceFor } from '../core/advice.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { isServedMetadata } from '../oauth/served-metadata.js';
import { resourceMetadataPath } from '../oauth/well-known.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** Warns, once each, of mistakes in how middlewares are mounted: only clients notice them, and no other message names them. */
export interface SetupHints {
  /** A request without a token is refused. */
  onRefusal(req: IncomingMessage): void;
}

/** @param options Those that the user gave, for the words of the advice. */
export function createSetupHints(
  options: object,
  { logger, resource }: Pick<ResolvedAuth, 'logger' | 'resource'>,
): SetupHints {
  const { preflight } = adviceFor(options, 'mcpAuth()');
  const path = resourceMetadataPath(resource?.pathname ?? '/');
  let isWatching = false;
  let hasWarned = false;
  return {
    onRefusal(req) {
      if (!isWatching) {
        isWatching = true;
        watch({ server: new WeakRef(serverOf(req)), path, warn: (status) => logger.warn(missing(path, status)) });
      }
      if (hasWarned || req.method !== 'OPTIONS' || !isPreflight(req)) return;
      hasWarned = true;
      logger.warn(`mcpAuth(): a preflight of a browser was refused, since preflights carry no token: ${preflight}`);
    },
  };
}

/** Fetch standard, "CORS-preflight request". */
function isPreflight({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

function missing(path: string, status: number): string {
  return (
    `mcpAuth(): ${path}, where clients are sent to find out how to log in, was answered with ${status}, and not by this package: ` +
    'mount protectedResourceMetadata() with the same policy at the root of the app, in no Router and behind no prefix'
  );
}

/** The socket, which no answer comes from, where it belongs to no server. */
function serverOf({ socket }: IncomingMessage): object {
  return (socket as { server?: object }).server ?? socket;
}

/** The metadata path that a policy sends clients to, until the first client has fetched it. */
interface Watch {
  readonly server: WeakRef<object>;
  readonly path: string;
  /** Another than this package answered, with something else than a JSON document. */
  warn(status: number): void;
}

const FINISHED = 'http.server.response.finish';

/** An application that makes a policy for each request must not fill the memory with these. */
const MAX_WATCHES = 100;

const watches = new Set<Watch>();

function watch(each: Watch): void {
  if (watches.size >= MAX_WATCHES) return;
  if (watches.size === 0) subscribe(FINISHED, onFinished);
  watches.add(each);
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
    if (!isTelling(response.statusCode) && !isServedMetadata(request)) continue;
    watches.delete(each);
    if (!isDocument(request, response)) each.warn(response.statusCode);
  }
  if (watches.size === 0) unsubscribe(FINISHED, onFinished);
}

/**
 * Whether an answer says who answers there: 304 is given to whoever names a copy, 400 to whoever sends what nobody reads, 429 to whoever
 * asks too often, and 5xx by what is out of order.
 */
function isTelling(status: number): boolean {
  return status < 500 && ![304, 400, 408, 413, 414, 429, 431].includes(status);
}

/** The application may serve a document of its own; a page of a web application at every path is none. */
function isDocument(request: IncomingMessage, response: ServerResponse): boolean {
  const isJson = /^application\/(?:[\w.]+\+)?json/i.test(String(response.getHeader('content-type')));
  return isServedMetadata(request) || (response.statusCode < 400 && isJson);
}
