import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createCallerKeys } from '../bridge/http/caller-token.js';
import { createSafeLogger } from '../core/logger.js';
import { printable } from '../core/printable.js';
import { isAnswered } from '../http/answered.js';
import { replyJson } from '../http/reply.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { type Logger, type Middleware, UpstreamError } from '../index.js';
import { replyOutage } from '../oauth/outage.js';
import { chain } from './chain.js';
import type { BindConfig, GatewayConfig } from './config/config-file.js';
import { createPathTable } from './config/path-match.js';
import { closeListener, openListener } from './listener.js';
import { limitRegistrations, registrationPaths } from './registration-limit.js';
import { createRoute, type GatewayRoute, warningsOfOpenRoutes } from './route.js';
import { StartupError } from './startup-error.js';

export interface Gateway {
  /** The warnings for an operator before it listens on `host`. */
  warningsFor(host: string): readonly string[];
  /** Opens every port of the file, or none; resolves to the addresses, such as `0.0.0.0:3000`, in the file's order. */
  listen(host: string): Promise<readonly string[]>;
  /** Takes no more connections, ends the streams and the children, then lets go of the connections that are left. */
  close(): Promise<void>;
}

/** @throws {StartupError} Where a policy or a target of the file is refused. */
export function createGateway(config: GatewayConfig, given: Logger): Gateway {
  const logger = createSafeLogger(given);
  const binds = config.binds.map((bind) => {
    const routes = bind.routes.map((route) => createRoute(route, logger));
    refuseSameLegacyEndpoints(bind, routes);
    return { bind, routes, server: createServer(createListener(bind, routes, logger)) };
  });
  const allRoutes = binds.flatMap(({ routes }) => routes);

  async function close(): Promise<void> {
    const closing = binds.map(({ server }) => closeListener(server));
    const ended = await Promise.allSettled(allRoutes.map((route) => route.close()));
    for (const end of ended) {
      if (end.status === 'rejected') logger.error(`a backend could not be stopped: ${end.reason}`);
    }
    await Promise.all(closing.map((listener) => listener.finish()));
  }

  return {
    warningsFor: (host) => warningsOfOpenRoutes(allRoutes, host),
    async listen(host) {
      const opened = await Promise.allSettled(binds.map(({ server, bind }) => openListener(server, host, bind)));
      const failed = opened.find((result) => result.status === 'rejected');
      if (failed) {
        await close();
        throw failed.reason;
      }
      return opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    },
    close,
  };
}

/** They are at the root of the port, so that the first route would have the clients of all. */
function refuseSameLegacyEndpoints({ at }: BindConfig, routes: readonly GatewayRoute[]): void {
  const [first, second] = routes.filter(({ policy }) => policy?.oauthProxy?.legacyEndpoints === true);
  if (first === undefined || second === undefined) return;
  const where = `in ${first.at} and in ${second.at}`;
  throw new StartupError(`${at} has legacyEndpoints twice, ${where}: one port has one /authorize`);
}

function createListener(bind: BindConfig, routes: readonly GatewayRoute[], logger: Logger): RequestListener {
  const matches = bind.routes.flatMap((route, i) => route.matches.map((match) => [match, routes[i]] as const));
  const routeFor = createPathTable(matches);
  const routing: Middleware = (req, res, next) => {
    const route = routeFor(rawPath(requestTarget(req)));
    if (route) route.handle(req, res, next);
    else next();
  };
  const registrations = routes.flatMap(({ policy }) => (policy ? registrationPaths(policy) : []));
  const all = chain([
    ...limitRegistrations(registrations, logger),
    ...routes.flatMap(({ metadata }) => metadata ?? []),
    serveCallerKeys(routes),
    routing,
  ]);
  return (req, res) =>
    all(req, res, (error) => {
      if (error === undefined) answer(res, 404, 'not_found', 'No route of this gateway takes this path');
      else answerFailure(logger, error, req, res);
    });
}

/** Where MCP servers find the keys of the tokens that say who is calling. */
const CALLER_KEYS_PATH = '/.well-known/express-mcp-auth/caller-jwks.json';

function serveCallerKeys(routes: readonly GatewayRoute[]): Middleware {
  const keys = createCallerKeys(routes.flatMap(({ callerKeys }) => callerKeys));
  return (req, res, next) => {
    if (rawPath(requestTarget(req)) === CALLER_KEYS_PATH) keys(req, res, next);
    else next();
  };
}

/** Characters of a request's path, in a line. */
const MAX_PATH = 300;

/** Answers what a route could not: an outage as 502 or 503 with the time to come back, everything else as 500, unexplained. */
export function answerFailure(logger: Logger, error: unknown, req: IncomingMessage, res: ServerResponse): void {
  const path = printable(rawPath(requestTarget(req)), MAX_PATH);
  logger.error(`${req.method} ${path} failed: ${causes(error)}`);
  if (isAnswered(res)) {
    // An answer that was begun cannot become another: cut short, the client knows that it is not whole.
    res.destroy();
  } else if (error instanceof UpstreamError) {
    replyOutage(res, error);
  } else {
    answer(res, 500, 'server_error', 'The gateway failed');
  }
}

function answer(res: ServerResponse, status: number, error: string, description: string): void {
  replyJson(res, status, JSON.stringify({ error, error_description: description }));
}

function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${causes(error.cause)})`;
}
