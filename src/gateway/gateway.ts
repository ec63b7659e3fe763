import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createSafeLogger } from '../core/logger.js';
import { printable } from '../core/printable.js';
import { isAnswered } from '../http/answered.js';
import { replyJson } from '../http/reply.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { type Logger, UpstreamError } from '../index.js';
import { replyOutage } from '../oauth/outage.js';
import { INHERITED_VARIABLES } from '../targets/stdio/child-environment.js';
import { clientAddressesOf, warningsOfOtherPorts } from './client-addresses.js';
import { type BindConfig, type GatewayConfig, routesOf } from './config/gateway-config.js';
import { timesOf } from './config/process-settings.js';
import { logTimeouts, serverOptions } from './connections.js';
import { GatewayDrain } from './drain.js';
import { closeListener, openListener } from './listener.js';
import { createPortServer } from './port-server.js';
import { Readiness } from './readiness.js';
import { identifyRequests } from './request-ids.js';
import { createRoute, type GatewayRoute, warningsOfOpenRoutes } from './route.js';
import { createRouting, type ServedListener } from './routing.js';
import { StartupError } from './startup-error.js';
import { trustProxies } from './trusted-proxies.js';

export interface Gateway {
  /** The warnings that an operator needs before the gateway listens on `host`. */
  warningsFor(host: string): readonly string[];
  /** What an operator who comes from agentgateway would not expect. */
  readonly notes: readonly string[];
  /** The addresses of its MCP servers, as clients are given them. */
  readonly clientAddresses: readonly string[];
  /** Opens every port of the file, or none; resolves to the addresses, such as `0.0.0.0:3000`, in the file's order. */
  listen(host: string): Promise<readonly string[]>;
  /** The parts that are not ready to take requests; empty if all are. */
  problems(): Promise<readonly string[]>;
  /** Opens no more sessions; resolves when calls have finished, or their time is over. `close()` comes after it. */
  drain(): Promise<void>;
  /** Accepts no more connections, ends streams and child processes, then closes the remaining connections. */
  close(): Promise<void>;
}

/**
 * Creates the routes and servers of a configuration file. They listen only after `listen()`.
 *
 * @throws {StartupError} If a policy or a target of the file is not valid.
 */
export function createGateway(config: GatewayConfig, given: Logger): Gateway {
  const logger = createSafeLogger(given);
  const times = timesOf(config.process);
  const drain = new GatewayDrain(() => allRoutes, logger);
  const options = serverOptions(times, () => drain.hasBegun);
  const binds = config.binds.map((bind) => {
    const listeners = bind.listeners.map((listener) => ({
      config: listener,
      routes: listener.routes.map((route) => createRoute(route, logger)),
    }));
    const routes = listeners.flatMap((listener) => listener.routes);
    refuseSameLegacyEndpoints(bind, routes);
    const server = createPortServer(bind, createListener(listeners, config, logger), logger, options);
    logTimeouts(server, times, logger);
    return { bind, routes, server };
  });
  const allRoutes = binds.flatMap(({ routes }) => routes);
  const readiness = new Readiness(() => allRoutes.flatMap(({ checks }) => checks), logger);

  async function close(): Promise<void> {
    const closing = binds.map(({ server }) => closeListener(server));
    const ended = await Promise.allSettled(allRoutes.map((route) => route.close()));
    for (const end of ended) {
      if (end.status === 'rejected') logger.error(`a backend could not be stopped: ${end.reason}`);
    }
    await Promise.all(closing.map((listener) => listener.finish()));
  }

  return {
    warningsFor: (host) => [...warningsOfOpenRoutes(allRoutes, host), ...warningsOfOtherPorts(binds)],
    notes: notesOf(config),
    clientAddresses: clientAddressesOf(binds),
    async listen(host) {
      const opened = await Promise.allSettled(binds.map(({ server, bind }) => openListener(server, host, bind)));
      const failed = opened.find((result) => result.status === 'rejected');
      if (failed) {
        await close();
        throw failed.reason;
      }
      return opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    },
    problems: async () => (drain.hasBegun ? ['the command is about to end'] : readiness.problems()),
    drain: () => drain.run(times),
    close,
  };
}

function notesOf(config: GatewayConfig): readonly string[] {
  const servers = routesOf(config).flatMap(({ backend }) => backend?.targets.map(({ server }) => server) ?? []);
  const isSilent = servers.some((server) => 'command' in server && !server.saysWhatItInherits);
  const names = INHERITED_VARIABLES.join(', ');
  return isSilent
    ? [`Programs get these environment variables: ${names}. For others, list their names in inheritEnv beside cmd`]
    : [];
}

/** Legacy endpoints are at the root of the port, so the first route would get the clients of all routes. */
function refuseSameLegacyEndpoints({ at }: BindConfig, routes: readonly GatewayRoute[]): void {
  const [first, second] = routes.filter(({ policy }) => policy?.oauthProxy?.legacyEndpoints === true);
  if (first === undefined || second === undefined) return;
  const where = `in ${first.at} and in ${second.at}`;
  throw new StartupError(
    `${at} has legacyEndpoints twice, ${where}: a port has only one /authorize, so keep it in one of them`,
  );
}

function createListener(
  listeners: readonly ServedListener[],
  { trustedProxies }: GatewayConfig,
  logger: Logger,
): RequestListener {
  const routing = createRouting(listeners, logger);
  const trust = trustedProxies && trustProxies(trustedProxies);
  return identifyRequests((req, res) => {
    trust?.(req);
    routing(req, res, (error) => {
      if (error === undefined) answer(res, 404, 'not_found', 'No route matches this path');
      else answerFailure(logger, error, req, res);
    });
  }, logger);
}

/** Characters of a request's path in a log line. */
const MAX_PATH = 300;

/** Answers a request that failed: an outage with 502 or 503 and `Retry-After`, any other error with 500 and no details. */
export function answerFailure(logger: Logger, error: unknown, req: IncomingMessage, res: ServerResponse): void {
  const path = printable(rawPath(requestTarget(req)), MAX_PATH);
  logger.error(`${req.method} ${path} failed: ${causes(error)}`);
  if (isAnswered(res)) {
    // The answer has begun and cannot be replaced. Cutting it off tells the client that it is incomplete.
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
