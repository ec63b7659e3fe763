import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readiness } from '../admin/readiness.js';
import { createSafeLogger } from '../core/logger.js';
import { printable } from '../core/printable.js';
import { isAnswered } from '../http/answered.js';
import { replyJson } from '../http/reply.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { type Logger, type Middleware, UpstreamError } from '../index.js';
import { replyOutage } from '../oauth/outage.js';
import { INHERITED_VARIABLES } from '../targets/stdio/child-environment.js';
import { AccessLog } from './access-log/access-log.js';
import { clientAddressesOf, warningsOfOtherPorts } from './client-addresses.js';
import { type GatewayConfig, routesOf } from './config/gateway-config.js';
import { timesOf } from './config/process-settings.js';
import type { TrustedProxiesConfig } from './config/runtime-section.js';
import { GatewayDrain } from './gateway-drain.js';
import { identifyRequests } from './identify-requests.js';
import { InputFiles } from './input-files.js';
import { createRegistrationLimit } from './registration-limit.js';
import type { VersionPort } from './reload/config-version.js';
import { type PreparedConfig, Versions } from './reload/versions.js';
import type { GatewayRoute } from './route.js';
import {
  warningsOfOpenRoutes,
  warningsOfSharedLabels,
  warningsOfSharedSecrets,
  warningsOfUnusedBackends,
  warningsOfUnusedRetry,
} from './route-warnings.js';
import { createRouting } from './routing.js';
import { createSharedStore } from './shared-store.js';
import { createTracing } from './tracing/create-tracing.js';
import { trustProxies } from './trusted-proxies.js';

/** A port of the file, and the address at which it is open, such as `0.0.0.0:3000`. */
export interface OpenPort extends VersionPort {
  readonly address: string | undefined;
}

export interface Gateway {
  /** The warnings that an operator needs before the gateway listens on `host`. */
  warningsFor(host: string): readonly string[];
  /** Differences from agentgateway that an operator should know. */
  readonly notes: readonly string[];
  /** The addresses of its MCP servers, as clients are given them. */
  readonly clientAddresses: readonly string[];
  /** Asks the other servers that the file names. Resolves to one sentence for each that cannot be used. */
  findFaults(): Promise<readonly string[]>;
  /** Opens every port of the file, or none; resolves to the addresses, such as `0.0.0.0:3000`, in the file's order. */
  listen(host: string): Promise<readonly string[]>;
  /**
   * Prepares another version of the file. Routes that are the same in both stay as they are.
   *
   * @throws {StartupError} If a policy, a target or a certificate of the file is not valid. Then the gateway stays as it is.
   */
  prepare(config: GatewayConfig, files: InputFiles): PreparedConfig;
  /** The routes, including those that answer their last calls. */
  allRoutes(): readonly GatewayRoute[];
  /** The ports of the version of the file that is in use, with the addresses at which they are open. */
  openPorts(): readonly OpenPort[];
  /** That version of the file as it was read, without secrets. */
  shownConfig(): string | undefined;
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
 * @param files The files that the configuration names are read from here.
 * @throws {StartupError} If a policy or a target of the file is not valid.
 */
export function createGateway(config: GatewayConfig, given: Logger, files = new InputFiles()): Gateway {
  const logger = createSafeLogger(given);
  const registrationLimit = createRegistrationLimit(logger);
  const shared = config.store && createSharedStore(config.store, files, logger);
  const tracing = config.tracing && createTracing(config.tracing, logger);
  const drain = new GatewayDrain(() => versions.allRoutes, logger);
  const versions = new Versions({
    logger,
    handlerFor: ({ listeners }, { trustedProxies }) =>
      createListener(createRouting(listeners, registrationLimit), trustedProxies, logger),
    isEnding: () => drain.hasBegun,
    store: shared?.store,
  });
  const accessLog = new AccessLog({ allRoutes: () => versions.allRoutes }, logger);
  const prepare = preparationOf(versions, accessLog);
  let first: PreparedConfig | undefined = prepare(config, files);
  const readiness = new Readiness(() => versions.routes.flatMap(({ checks }) => checks), logger);
  return {
    warningsFor: (host) => [
      ...warningsOfOpenRoutes(versions.routes, host),
      ...warningsOfSharedSecrets(versions.routes),
      ...warningsOfSharedLabels(routesOf(config)),
      ...warningsOfUnusedBackends(routesOf(config)),
      ...warningsOfUnusedRetry(routesOf(config)),
      ...warningsOfOtherPorts(versions.ports),
    ],
    findFaults: () => findFaultsIn([...versions.routes, ...(shared ? [shared] : [])]),
    notes: [...notesOf(config), ...(tracing ? [tracing.note] : [])],
    clientAddresses: clientAddressesOf(versions.ports),
    async listen(host) {
      const changes = await first?.use(host);
      // The first version is not needed once there is another one.
      first = undefined;
      void shared?.open();
      tracing?.start();
      return changes?.opened ?? [];
    },
    prepare,
    allRoutes: () => versions.allRoutes,
    openPorts: () => versions.ports.map((port) => ({ ...port, address: versions.addressOf(port) })),
    shownConfig: () => versions.config?.shown,
    problems: async () => (drain.hasBegun ? ['the command is shutting down'] : readiness.problems()),
    drain: () => drain.run(timesOf(versions.config?.process ?? {})),
    async close() {
      await versions.close();
      accessLog.use(undefined);
      await shared?.close();
      await tracing?.stop();
    },
  };
}

/** Returns the function that prepares a version of the file. Its access log begins when the version is used. */
function preparationOf(versions: Versions, accessLog: AccessLog): Gateway['prepare'] {
  return (config, files) => {
    const prepared = versions.prepare(config, files);
    const use = async (host: string) => {
      const changes = await prepared.use(host);
      accessLog.use(config.accessLog);
      return changes;
    };
    return { use };
  };
}

async function findFaultsIn(parts: ReadonlyArray<Pick<GatewayRoute, 'findFaults'>>): Promise<readonly string[]> {
  const found = await Promise.all(parts.map((part) => part.findFaults()));
  return [...new Set(found.flat())];
}

function notesOf(config: GatewayConfig): readonly string[] {
  const servers = routesOf(config).flatMap(({ backend }) => backend?.targets.map(({ server }) => server) ?? []);
  const isSilent = servers.some((server) => 'command' in server && !server.saysWhatItInherits);
  const names = INHERITED_VARIABLES.join(', ');
  return isSilent
    ? [
        `Programs get these environment variables: ${names}, and those of proxies, certificates and package registries. For others, list their names in inheritEnv beside cmd`,
      ]
    : [];
}

function createListener(
  routing: Middleware,
  trustedProxies: TrustedProxiesConfig | undefined,
  logger: Logger,
): RequestListener {
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
