import type { LogSettings } from '../log-settings.js';
import { RUNTIME, SESSION_TIMES } from '../schema/file-keys.js';
import type { ConfigNode, UnsupportedFeature } from './config-node.js';
import type { FrontendConfig } from './frontend-policies.js';
import { readLogging } from './logging.js';
import { type ProcessConfig, readProcessConfig } from './process-settings.js';
import { readWholeSeconds } from './seconds.js';
import { readSessionKey, type SessionKeyConfig } from './session-key.js';
import { readStoreConfig, type StoreConfig } from './store-config.js';
import { readProcessTracing } from './tracing.js';
import { harmless } from './unsupported-features.js';

/** The settings of the whole process that concern this command, from the sections `config` and `frontendPolicies`. */
export interface RuntimeConfig extends FrontendConfig {
  /** The time after which an unused session ends. Undefined for the default of the backend. */
  readonly sessionSeconds?: number;
  /** The proxies in front. Without it, no forwarded header counts. */
  readonly trustedProxies?: TrustedProxiesConfig;
  readonly sessionKey?: SessionKeyConfig;
  /** Without it, this process knows only what it has seen itself. */
  readonly store?: StoreConfig;
  readonly process: ProcessConfig;
  /** The log settings of the file. */
  readonly logging?: LogSettings;
}

/** Addresses of proxies, or networks such as `10.0.0.0/8`. */
export interface TrustedProxiesConfig {
  readonly addresses: readonly string[];
  readonly at: string;
}

const KUBERNETES = harmless('it is about a control plane or a service mesh, which this command does not have');

/** The members of the section `config` that are about parts of agentgateway which this command does not have. */
const UNSUPPORTED: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ...['metrics', 'histograms'].map(
    (name) => [name, harmless('the metrics are the same for everyone. See docs/observability.md')] as const,
  ),
  ...['standardAttributes', 'sensitiveHeaders'].map(
    (name) => [name, harmless('the command writes its own log, without tokens')] as const,
  ),
  ...['modelCatalog', 'database', 'storage'].map(
    (name) => [name, harmless('it is about language models and the user interface')] as const,
  ),
  ...['caAddress', 'caAuthToken', 'xdsAddress', 'xdsAuthToken', 'spiffe', 'namespace', 'gateway', 'trustDomain'].map(
    (name) => [name, KUBERNETES] as const,
  ),
  ...['additionalTrustDomains', 'skipValidateTrustDomain', 'serviceAccount', 'clusterId', 'network', 'hbone'].map(
    (name) => [name, KUBERNETES] as const,
  ),
  ['localXdsPath', KUBERNETES],
  ['enableIpv6', harmless('--host says on which addresses the command listens')],
  ['dns', harmless('names are resolved as on this machine')],
  ['customFunctions', { why: 'expressions have no functions of their own', canIgnore: false }],
  ['workerThreads', harmless('the command runs on one thread. Start several, with a proxy in front')],
  ['backend', harmless('Write connectTimeoutSeconds and responseTimeoutSeconds beside the host of a target')],
]);

/**
 * Reads the section `config`.
 *
 * @param ofCommand The settings of the process on the command line, which override those of the file.
 */
export function readRuntimeConfig(node: ConfigNode, directory: string, ofCommand?: ProcessConfig): RuntimeConfig {
  const { mcp, trustProxy, logging, session, store, tracing, ...others } = node.members(RUNTIME, {
    unsupported: UNSUPPORTED,
  });
  const ttl = mcp?.members(SESSION_TIMES).sessionTtl;
  return {
    ...(ttl && { sessionSeconds: readSessionSeconds(ttl) }),
    ...(trustProxy && { trustedProxies: { addresses: trustProxy.texts(), at: trustProxy.path } }),
    ...(logging && { logging: readLogging(logging) }),
    ...(session && { sessionKey: readSessionKey(session, directory) }),
    ...(store && { store: readStoreConfig(store, directory) }),
    ...(tracing && !tracing.isIgnored('tracing') && { tracing: readProcessTracing(tracing) }),
    process: readProcessConfig(others, directory, ofCommand),
  };
}

function readSessionSeconds(ttl: ConfigNode): number {
  const seconds = readWholeSeconds(ttl);
  return seconds > 0 ? seconds : ttl.refuse('must be at least one second');
}
