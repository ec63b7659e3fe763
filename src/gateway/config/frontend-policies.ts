import { FRONTEND_POLICIES } from '../schema/frontend-keys.js';
import { type AccessLogConfig, readAccessLog } from './access-log-config.js';
import type { ConfigNode, UnsupportedFeature } from './config-node.js';
import { readTracing, type TracingConfig } from './tracing.js';
import { harmless, protective } from './unsupported-features.js';

/** The section `frontendPolicies`: what the command does with every request. */
export interface FrontendConfig {
  /** The collector that gets the spans of calls. */
  readonly tracing?: TracingConfig;
  /** Each call writes a line to the log. */
  readonly accessLog?: AccessLogConfig;
}

const UNSUPPORTED: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ['http', harmless('write config.keepAliveTimeout, config.headersTimeout and config.requestTimeout')],
  ['tls', protective('write minTLSVersion and maxTLSVersion in the tls of a listener')],
  ['tcp', harmless('TCP connections cannot be configured')],
  ['networkAuthorization', protective('write policies.authorization, whose rules see source.address')],
  ['networkExtAuthz', protective('no other server is asked. Use rules in policies.authorization')],
  ...['proxy', 'proxyProtocol'].map(
    (name) =>
      [name, protective('write config.trustProxy: the proxy in front sends X-Forwarded-For over HTTP')] as const,
  ),
  ['connect', harmless('the method CONNECT is refused anyway')],
]);

/** Reads the section `frontendPolicies`. */
export function readFrontendPolicies(node: ConfigNode): FrontendConfig {
  const { tracing, accessLog, logging } = node.members(FRONTEND_POLICIES, { unsupported: UNSUPPORTED });
  if (accessLog) logging?.refuse('is another name of accessLog: remove one');
  const log = accessLog ?? logging;
  return {
    ...(tracing && !tracing.isIgnored('tracing') && { tracing: readTracing(tracing) }),
    ...(log && { accessLog: readAccessLog(log) }),
  };
}
