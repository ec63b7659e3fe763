import { BRIDGE_TABLE } from '../../bridge/bridge-options.js';
import { ANY_MAPPING, listOf, type Members, membersOf, oneOfWords, TEXT, TEXTS } from '../../options/value-type.js';
import { FRONTEND_POLICIES } from './frontend-keys.js';
import { BIND, GATEWAYS } from './listener-keys.js';
import { BACKEND_POLICIES, ROUTE_POLICIES } from './policy-keys.js';
import { PROCESS } from './process-keys.js';
import { ATTACHED_ROUTE, ROUTE } from './route-keys.js';
import { MCP_SERVERS } from './target-keys.js';
import { NAMES, NAMESPACE, PORT, TIME } from './value-forms.js';

/** The section `mcp`. */
export const MCP_SECTION = {
  port: { type: PORT, default: 3000 },
  gateways: { type: NAMES, otherwise: '`default`, if there is one and no `port`' },
  policies: ROUTE.policies,
  ...MCP_SERVERS,
} as const satisfies Members;

/** An item of the section `backends`. */
export const NAMED_BACKEND = {
  name: { type: TEXT, isRequired: true },
  mcp: { type: membersOf('servers', MCP_SERVERS) },
  policies: { type: membersOf('backend policies', BACKEND_POLICIES) },
} as const satisfies Members;

/** agentgateway calls the gateway of a file "default". */
export const ONLY_GATEWAY = 'default';

export const GATEWAY_TARGET = {
  gatewayName: { type: oneOfWords([ONLY_GATEWAY]), default: ONLY_GATEWAY },
  gatewayNamespace: NAMESPACE,
  listenerName: { type: TEXT, otherwise: 'every listener' },
} as const satisfies Members;

const NAME = { type: TEXT, isRequired: true } as const;

export const ROUTE_TARGET = { name: NAME, namespace: NAMESPACE } as const satisfies Members;

export const BACKEND_TARGET = {
  backend: { type: membersOf('named backend', ROUTE_TARGET), isRequired: true },
} as const satisfies Members;

export const POLICY_TARGET = {
  gateway: { type: membersOf('gateway target', GATEWAY_TARGET) },
  route: { type: membersOf('route target', ROUTE_TARGET) },
  backend: { type: membersOf('backend target', BACKEND_TARGET) },
} as const satisfies Members;

/** A policy applies before a route is selected, or for a selected route. */
export const PHASES = ['route', 'gateway'] as const;

/** An item of the section `policies`. */
export const TARGETED_POLICY = {
  name: { type: ANY_MAPPING, isRequired: true },
  target: { type: membersOf('policy target', POLICY_TARGET), isRequired: true },
  policy: { type: membersOf('policies', ROUTE_POLICIES), isRequired: true },
  phase: { type: oneOfWords(PHASES), default: 'route' },
} as const satisfies Members;

export const SESSION_TIMES = {
  sessionTtl: { type: TIME, default: `${BRIDGE_TABLE.idleTimeoutSeconds.default}s` },
} as const satisfies Members;

/** The section `config`. */
export const RUNTIME = {
  mcp: { type: membersOf('config.mcp', SESSION_TIMES) },
  trustProxy: { type: TEXTS, otherwise: 'none' },
  ...PROCESS,
} as const satisfies Members;

/** The sections of the file. */
export const FILE = {
  binds: { type: listOf(membersOf('bind', BIND), 1) },
  gateways: { type: GATEWAYS },
  routes: { type: listOf(membersOf('attached route', ATTACHED_ROUTE)) },
  mcp: { type: membersOf('mcp', MCP_SECTION) },
  backends: { type: listOf(membersOf('backend', NAMED_BACKEND)) },
  policies: { type: listOf(membersOf('targeted policy', TARGETED_POLICY)) },
  frontendPolicies: { type: membersOf('frontendPolicies', FRONTEND_POLICIES) },
  config: { type: membersOf('config', RUNTIME) },
} as const satisfies Members;
