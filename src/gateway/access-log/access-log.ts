import type { IncomingMessage } from 'node:http';
import { runOutsideRequest } from '../../core/log-fields.js';
import { takesFields, withFields } from '../../core/logger.js';
import { commandRouteOf } from '../../core/mcp-route.js';
import type { Logger } from '../../index.js';
import { type CallFollower, callFollower } from '../../telemetry/call-follower.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { AccessLogConfig } from '../config/access-log-config.js';
import { recordedVariablesOf } from '../recorded-variables.js';
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
      // Read once here: after the client has left, a socket returns its address only if it was read before.
      onRequest: ({ socket }: IncomingMessage) => void socket.remoteAddress,
      onEnd: (record: CallRecord, req: IncomingMessage) => this.#write(config, record, req),
    };
    if (config !== undefined || callFollower.current === this.#follower) callFollower.current = follower;
    this.#follower = follower;
  }

  #write(config: AccessLogConfig, record: CallRecord, req: IncomingMessage): void {
    const fields = fieldsFor(config, record, req, this.#source.allRoutes());
    if (fields === undefined) return;
    // The line names its own request. Another request may have caused it, such as one that cancels the call.
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
  const served = commandRouteOf(req);
  // Routes may have the same name.
  const ofCall = routes.filter(({ label, recordedAs }) => (served ? recordedAs === served : label === record.route));
  const named = withTarget(record, ofCall);
  const variables = { ...recordedVariablesOf(req, record), ...endedVariablesOf(named, resolverOf(ofCall)) };
  if (filter !== undefined && filter.evaluate(variables) !== true) return undefined;
  const fields = fieldsOfCall(named, variables);
  for (const [name, expression] of added) {
    const value = asLogValue(expression.evaluate(variables));
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  for (const name of removed) fields.delete(name);
  return fields;
}

/** Adds the name of a route's only target, which records do not contain. */
function withTarget(record: CallRecord, routes: readonly GatewayRoute[]): CallRecord {
  const [only, ...others] = new Set(routes.flatMap(({ targets }) => targets));
  return record.target === undefined && others.length === 0 ? { ...record, target: only } : record;
}

/** The access log names a tool of several targets as its target does, as rules do. */
function resolverOf(routes: readonly GatewayRoute[]): ResolveName {
  return (kind, name) => {
    for (const { backend } of routes) {
      const found = backend && 'resolve' in backend ? backend.resolve(kind, name) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
