import type { IncomingMessage } from 'node:http';
import { SECRET_HEADERS, sharedVariablesOf } from '../../authorization/request-variables.js';
import { runOutsideRequest } from '../../core/log-fields.js';
import { takesFields, withFields } from '../../core/logger.js';
import { getAuth, type Logger } from '../../index.js';
import { type CallFollower, callFollower } from '../../telemetry/call-follower.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { AccessLogConfig } from '../config/access-log.js';
import type { GatewayRoute } from '../route.js';
import { endedVariablesOf, type ResolveName } from './ended-variables.js';
import { asLogValue, fieldsOfCall, type LogValue, lineOf } from './log-values.js';

/** The routes, whose backends know the targets of names. */
interface AccessLogSource {
  allRoutes(): readonly GatewayRoute[];
}

/** Writes one line for each call, at the level `info`. No line has arguments, results, or headers with credentials. */
export class AccessLog {
  readonly #source: AccessLogSource;
  readonly #logger: Logger;
  readonly #hasFields: boolean;
  #follower: CallFollower | undefined;

  constructor(source: AccessLogSource, logger: Logger) {
    this.#source = source;
    this.#logger = logger;
    this.#hasFields = takesFields(logger);
  }

  /** From now on, writes lines as these settings say; none without settings. */
  use(config: AccessLogConfig | undefined): void {
    const follower = config && {
      // A socket knows the address of a client that has left only if it was asked for it before.
      onRequest: ({ socket }: IncomingMessage) => void socket.remoteAddress,
      onEnd: (record: CallRecord, req: IncomingMessage) => this.#write(config, record, req),
    };
    if (config !== undefined || callFollower.current === this.#follower) callFollower.current = follower;
    this.#follower = follower;
  }

  #write(config: AccessLogConfig, record: CallRecord, req: IncomingMessage): void {
    const fields = fieldsFor(config, record, req, this.#source.allRoutes());
    if (fields === undefined) return;
    // The line names its own request. Another one may cause it, such as the one that cancels the call.
    runOutsideRequest(() => {
      if (this.#hasFields) withFields(this.#logger, Object.fromEntries(fields)).info('request');
      else this.#logger.info(`request ${lineOf(fields)}`);
    });
  }
}

/** Returns the fields of the line about a call; undefined if it has no line. */
function fieldsFor(
  { filter, added, removed }: AccessLogConfig,
  record: CallRecord,
  req: IncomingMessage,
  routes: readonly GatewayRoute[],
): ReadonlyMap<string, LogValue> | undefined {
  const shared = sharedVariablesOf(req, getAuth(req), secretHeadersOf(routes));
  const variables = { ...shared, ...endedVariablesOf(record, resolverOf(routes, record)) };
  if (filter !== undefined && filter.evaluate(variables) !== true) return undefined;
  const fields = fieldsOfCall(record, shared);
  for (const [name, expression] of added) {
    const value = asLogValue(expression.evaluate(variables));
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  for (const name of removed) fields.delete(name);
  return fields;
}

function secretHeadersOf(routes: readonly GatewayRoute[]): ReadonlySet<string> {
  return new Set([...SECRET_HEADERS, ...routes.flatMap(({ policy }) => policy?.authorizationLocation?.header ?? [])]);
}

/** Rules know a tool of several targets by the name that its target gives it, and so does the access log. */
function resolverOf(routes: readonly GatewayRoute[], { route }: CallRecord): ResolveName {
  const backends = routes.flatMap(({ name, backend }) => (name === route && backend ? [backend] : []));
  return (kind, name) => {
    for (const backend of backends) {
      const found = 'resolve' in backend ? backend.resolve(kind, name) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
