import { resolve } from 'node:path';
import { isMethodName, suggestMethod } from '../../authorization/rule-names.js';
import { SCOPES_OPTIONS } from '../../authorization/scopes-options.js';
import type { McpScopesOptions, ScopeRules } from '../../index.js';
import { type AuthorizationConfig, readAuthorizationPolicies } from './authorization-policy.js';
import type { ConfigNode } from './config-node.js';
import { type CorsConfig, readCorsPolicy } from './cors-policy.js';
import { type PathMatch, readPathMatch } from './path-match.js';
import { type RateLimitsConfig, readRateLimits } from './rate-limits.js';
import { type RemoteTarget, readRemoteTarget, TARGET_POLICIES, type TargetPolicies } from './remote-target.js';
import { readStdioTarget, type StdioTarget } from './stdio-target.js';
import { parseYaml } from './yaml-document.js';

/** The supported part of agentgateway's configuration file. */
export interface GatewayConfig {
  /** One for each port. */
  readonly binds: readonly BindConfig[];
}

export interface BindConfig {
  readonly port: number;
  readonly routes: readonly RouteConfig[];
  /** Its place in the file, for messages: `binds[0]`. */
  readonly at: string;
}

export interface RouteConfig {
  readonly matches: readonly PathMatch[];
  readonly cors?: CorsConfig;
  readonly mcpAuthentication?: McpAuthenticationConfig;
  readonly mcpScopes?: ScopesConfig;
  readonly localRateLimit?: RateLimitsConfig;
  /** Of the route and of its backend. */
  readonly mcpAuthorization?: readonly AuthorizationConfig[];
  readonly target: StdioTarget | RemoteTarget;
  /** The name of the target, for rules about `mcp.tool.target`. */
  readonly targetName?: string;
  readonly at: string;
}

export interface McpAuthenticationConfig {
  /** As written, with absolute file names. Not checked here: `mcpAuth()` does that. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly at: string;
}

export interface ScopesConfig {
  /** Not checked here, like `options`: `mcpScopes()` does that. */
  readonly rules: ScopeRules;
  readonly options: McpScopesOptions;
  readonly at: string;
}

/** The policies of a route. `unsupported` has agentgateway's others: like any unknown key they are refused, but not as typos. */
const POLICIES = {
  optional: ['cors', 'mcpAuthentication', 'mcpScopes', 'mcpAuthorization', 'localRateLimit', ...TARGET_POLICIES],
  unsupported: [
    ...['jwtAuth', 'oidc', 'basicAuth', 'apiKey', 'authorization', 'extAuthz', 'csrf'],
    ...['mcpGuardrails', 'remoteRateLimit'],
    ...['a2a', 'ai', 'backendTunnel', 'buffer', 'delay', 'directResponse', 'extProc'],
    ...['requestMirror', 'requestRedirect', 'responseHeaderModifier', 'retry'],
    ...['timeout', 'transformations', 'urlRewrite'],
  ],
  elsewhere: new Map([['mcpLimits', 'Write localRateLimit, with maxTokens, tokensPerFill, fillInterval and per.']]),
} as const;

/** The options of `mcpScopes()` in the file. Methods cannot clash: they are `initialize`, `ping`, or contain a slash. */
const SCOPES_MEMBERS: readonly string[] = SCOPES_OPTIONS.filter((name) => name !== 'logger');

/**
 * Parses and checks the text of a configuration file.
 *
 * @param directory Relative file names in the text start here.
 * @throws {StartupError}
 */
export function parseConfigFile(text: string, directory: string): GatewayConfig {
  const root = parseYaml(text);
  const binds = root
    .members({ required: ['binds'] })
    .binds.someItems()
    .map((node) => readBind(node, directory));
  refuseSamePort(root, binds);
  return { binds };
}

/** The `mcpAuthentication` of every route that has one. */
export function authenticationsOf({ binds }: GatewayConfig): McpAuthenticationConfig[] {
  return binds.flatMap(({ routes }) => routes.flatMap(({ mcpAuthentication }) => mcpAuthentication ?? []));
}

function readBind(node: ConfigNode, directory: string): BindConfig {
  const { port, listeners } = node.members({ required: ['port', 'listeners'] });
  const routes = listeners.someItems().flatMap((listener) => readListener(listener, directory));
  refuseSamePath(node, routes);
  return { port: port.port(), routes, at: node.path };
}

function readListener(node: ConfigNode, directory: string): RouteConfig[] {
  const { name, hostname, protocol, routes } = node.members({
    required: ['routes'],
    optional: ['name', 'hostname', 'protocol'],
  });
  name?.text();
  if (hostname && hostname.text() !== '*')
    hostname.refuse('is not supported, except "*": a listener accepts every host');
  if (protocol && protocol.text() !== 'HTTP') protocol.refuse('is not supported, except "HTTP"');
  return routes.someItems().map((route) => readRoute(route, directory));
}

function readRoute(node: ConfigNode, directory: string): RouteConfig {
  const { name, matches, policies, backends } = node.members({
    required: ['backends'],
    optional: ['name', 'matches', 'policies'],
  });
  name?.text();
  const members = policies?.members(POLICIES) ?? {};
  const { cors, mcpAuthentication, mcpScopes, mcpAuthorization, localRateLimit, ...ofTarget } = members;
  if (mcpScopes && !mcpAuthentication)
    mcpScopes.refuse('needs mcpAuthentication beside it: the scopes come from the token');
  return {
    matches: matches?.someItems().map(readPathMatch) ?? [{ kind: 'pathPrefix', path: '', at: node.path }],
    ...(cors && { cors: readCorsPolicy(cors) }),
    ...(mcpAuthentication && { mcpAuthentication: readMcpAuthentication(mcpAuthentication, directory) }),
    ...(mcpScopes && { mcpScopes: readScopesPolicy(mcpScopes) }),
    ...(localRateLimit && { localRateLimit: readRateLimits(localRateLimit) }),
    ...readBackend(backends.onlyItem(), { mcpAuthorization, ofTarget }, directory),
    at: node.path,
  };
}

/** Options of `mcpAuth()` that are objects with functions. */
const NOT_IN_FILES: readonly string[] = ['logger', 'store'];

/** Makes file names absolute. `mcpAuth()` checks the rest of the block. */
function readMcpAuthentication(node: ConfigNode, directory: string): McpAuthenticationConfig {
  for (const [key, member] of node.children()) if (NOT_IN_FILES.includes(key)) member.refuse('is not supported');
  const { issuers, ...policy } = withAbsoluteFile(
    withAbsoluteFile(node.mapping(), 'jwks', directory),
    'apiKeys',
    directory,
  );
  const several = Array.isArray(issuers)
    ? issuers.map((issuer) => withAbsoluteFile(issuer, 'jwks', directory))
    : issuers;
  return { policy: several === undefined ? policy : { ...policy, issuers: several }, at: node.path };
}

/** Reads `policies.mcpScopes`: the rules of `mcpScopes()`, with its options among them. */
function readScopesPolicy(node: ConfigNode): ScopesConfig {
  for (const [name, member] of node.children()) {
    if (SCOPES_MEMBERS.includes(name) || isMethodName(name)) continue;
    member.refuse(
      `is neither a method, such as "tools/call", nor an option. ${suggestMethod(name, SCOPES_MEMBERS, 'file')}`,
    );
  }
  const members = Object.entries(node.mapping());
  const rules = Object.fromEntries(members.filter(([name]) => !SCOPES_MEMBERS.includes(name))) as ScopeRules;
  const options = Object.fromEntries(members.filter(([name]) => SCOPES_MEMBERS.includes(name)));
  return { rules, options, at: node.path };
}

/** @param option The option that may name a file. */
function withAbsoluteFile(
  options: Readonly<Record<string, unknown>>,
  option: 'jwks' | 'apiKeys',
  directory: string,
): Record<string, unknown> {
  const source = options?.[option] as { file?: unknown } | null | undefined;
  if (typeof source?.file !== 'string' || source.file === '') return options;
  return { ...options, [option]: { ...source, file: resolve(directory, source.file) } };
}

interface RoutePolicies {
  readonly mcpAuthorization: ConfigNode | undefined;
  readonly ofTarget: TargetPolicies;
}

function readBackend(
  backend: ConfigNode,
  { mcpAuthorization, ofTarget }: RoutePolicies,
  directory: string,
): Pick<RouteConfig, 'mcpAuthorization' | 'target' | 'targetName'> {
  const { mcp, policies } = backend.members({ required: ['mcp'], optional: ['policies'] });
  const ofBackend = policies?.members({ optional: ['mcpAuthorization'] }).mcpAuthorization;
  const target = mcp.members({ required: ['targets'] }).targets.onlyItem();
  const rules = readAuthorizationPolicies(mcpAuthorization, ofBackend);
  return { ...(rules.length > 0 && { mcpAuthorization: rules }), ...readTarget(target, ofTarget, directory) };
}

function readTarget(
  target: ConfigNode,
  ofRoute: TargetPolicies,
  directory: string,
): Pick<RouteConfig, 'target' | 'targetName'> {
  const { name, stdio, mcp: remote, policies } = target.members({ optional: ['name', 'stdio', 'mcp', 'policies'] });
  const named = name && { targetName: name.text() };
  const all = joinPolicies(ofRoute, policies?.members({ optional: TARGET_POLICIES }) ?? {});
  if (remote && !stdio) return { target: readRemoteTarget(remote, all, directory), ...named };
  if (remote || !stdio) return target.refuse('must have either stdio or mcp');
  for (const policy of Object.values(all)) policy.refuse('is about a connection, and a stdio target has none');
  return { target: readStdioTarget(stdio), ...named };
}

/** agentgateway takes these policies in both places; one of the two would be ignored. */
function joinPolicies(ofRoute: TargetPolicies, ofTarget: TargetPolicies): TargetPolicies {
  for (const name of TARGET_POLICIES) {
    if (ofRoute[name]) ofTarget[name]?.refuse(`is also in ${ofRoute[name].path}: write it once`);
  }
  return { ...ofRoute, ...ofTarget };
}

function refuseSamePort(root: ConfigNode, binds: readonly BindConfig[]): void {
  const taken = new Map<number, string>();
  for (const { port, at } of binds) {
    const other = taken.get(port);
    if (other !== undefined) root.refuse(`has port ${port} twice, in ${other} and in ${at}`);
    if (port !== 0) taken.set(port, at);
  }
}

/** Of two routes for one path only one would be reached, and the policies of the other would be ignored. */
function refuseSamePath(bind: ConfigNode, routes: readonly RouteConfig[]): void {
  const taken = new Map<string, RouteConfig>();
  for (const route of routes) {
    for (const { kind, path, at } of route.matches) {
      const other = taken.get(`${kind} ${path}`);
      if (other && other !== route) bind.refuse(`has ${kind} ${path || '/'} twice, in ${other.at} and in ${at}`);
      taken.set(`${kind} ${path}`, route);
    }
  }
}
