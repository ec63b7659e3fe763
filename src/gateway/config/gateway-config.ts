import type { McpScopesOptions, ScopeRules } from '../../index.js';
import type { AuthorizationConfig } from './authorization-policy.js';
import type { McpBackendConfig } from './backend-config.js';
import type { CorsConfig } from './cors-policy.js';
import type { DirectResponseConfig } from './direct-response.js';
import type { HeaderModifier } from './header-modifier.js';
import type { HttpRulesConfig } from './http-rules.js';
import type { ProcessConfig } from './process-settings.js';
import type { RateLimitsConfig } from './rate-limits.js';
import type { RetryConfig } from './retry-policy.js';
import type { RouteMatch } from './route-match.js';
import type { RuntimeConfig } from './runtime-section.js';
import type { TimeoutConfig } from './timeouts.js';
import type { TlsConfig } from './tls-config.js';
import type { RedirectConfig, RewriteConfig } from './url-change.js';

/** The supported part of agentgateway's configuration file, the same for each of its forms. */
export interface GatewayConfig extends Omit<RuntimeConfig, 'sessionSeconds'> {
  /** One for each port. */
  readonly binds: readonly BindConfig[];
  /** The places of items of `backends` that no route names. */
  readonly unusedBackends?: readonly string[];
  /** The file as it was read, without secrets. */
  readonly shown?: string | undefined;
  /** The settings of the file, overridden by those of the command line. */
  readonly process: ProcessConfig;
}

export interface BindConfig {
  readonly port: number;
  readonly listeners: readonly ListenerConfig[];
  /** True if clients log in at the development issuer, which apps on other ports may use too. */
  readonly hasDevIssuer?: boolean;
  /** Its place in the file, for messages: `binds[0]`, `gateways.default` or `mcp`. */
  readonly at: string;
}

/** The routes for one host name on a port. */
export interface ListenerConfig {
  /** `*`, a name, or `*.` and a name. */
  readonly hostname: string;
  readonly tls?: TlsConfig;
  readonly routes: readonly RouteConfig[];
  readonly at: string;
}

export interface RouteConfig extends RoutePoliciesConfig {
  /** Decides between routes whose matches are equally specific, in alphabetical order. */
  readonly name: string;
  /** Names the route in the records of calls: its name in the file, or else its first path, with the host if several routes have it. */
  readonly label: string;
  /** The file does not name the route. */
  readonly hasDefaultLabel?: true;
  /** Empty for those of the listener. */
  readonly hostnames: readonly string[];
  readonly matches: readonly RouteMatch[];
  /** Undefined if the route answers by itself. */
  readonly backend?: McpBackendConfig;
  /** The place of a backend that gets no requests, because the route answers by itself. */
  readonly unusedBackend?: string;
  readonly at: string;
  readonly written: WrittenRoute;
}

/** The values of the file that a route is made of, without their places: equal if two routes do the same with a request. */
export interface WrittenRoute {
  readonly policies: Readonly<Record<string, unknown>>;
  readonly rules: unknown;
  /** The policies that the route and its backend may both have. */
  readonly ofBoth: unknown;
  readonly backend: unknown;
  readonly sessionSeconds: number | undefined;
}

/** The policies of a route, merged from every place in the file that has one for it. */
export interface RoutePoliciesConfig {
  readonly cors?: CorsConfig;
  readonly mcpAuthentication?: McpAuthenticationConfig;
  /** The `jwtAuth` or `apiKey` of a route without `mcpAuthentication`. */
  readonly credentials?: CredentialConfig;
  readonly mcpScopes?: ScopesConfig;
  /** The rules of the listener and its gateway. They apply before a route is selected, and must allow a request too. */
  readonly gatewayAuthorization?: readonly HttpRulesConfig[];
  /** The blocks of the route, whose rules count together. */
  readonly authorization?: readonly HttpRulesConfig[];
  /** Those of its backend, whose rules must allow a request too. */
  readonly backendAuthorization?: readonly HttpRulesConfig[];
  /** The blocks of every place, whose rules count together. */
  readonly mcpAuthorization?: readonly AuthorizationConfig[];
  readonly localRateLimit?: RateLimitsConfig;
  readonly timeout?: TimeoutConfig;
  readonly retry?: RetryConfig;
  readonly requestHeaderModifier?: HeaderModifier;
  readonly backendRequestHeaderModifier?: HeaderModifier;
  /** That of the route, and then that of its backend. */
  readonly responseHeaderModifiers: readonly HeaderModifier[];
  readonly urlRewrite?: RewriteConfig;
  readonly requestRedirect?: RedirectConfig;
  readonly directResponse?: DirectResponseConfig;
}

export interface McpAuthenticationConfig {
  /** As written, with absolute file names, and with a `SecretFile` for a secret in a file. Not checked here: `mcpAuth()` does that. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/** Credentials that a route accepts without being an MCP server that clients can log in to by themselves. */
export interface CredentialConfig extends McpAuthenticationConfig {
  readonly kind: 'jwtAuth' | 'apiKey';
  readonly warnings: readonly string[];
}

export interface ScopesConfig {
  /** Not checked here, like `options`: `mcpScopes()` does that. */
  readonly rules: ScopeRules;
  readonly options: McpScopesOptions;
  readonly at: string;
}

/** Every route of the file. */
export function routesOf({ binds }: GatewayConfig): readonly RouteConfig[] {
  return binds.flatMap(({ listeners }) => listeners.flatMap(({ routes }) => routes));
}

/** The `mcpAuthentication` of every route that has one. */
export function authenticationsOf(config: GatewayConfig): McpAuthenticationConfig[] {
  return routesOf(config).flatMap(({ mcpAuthentication }) => mcpAuthentication ?? []);
}
