import { isRecord, stringsIn } from '../../http/json-object.js';
import { createChecks } from '../../options/checks.js';
import { namesIdentityProvider } from '../../policy/identity-tables.js';
import { resolveAuth } from '../../policy/resolve-auth.js';
import { ISSUER_OPTIONS, type TrustedIssuer } from '../../policy/resolve-issuer.js';
import { resolveResource } from '../../policy/resolve-resource.js';
import type { ProviderSwitches } from '../../providers/switches.js';
import type { DevIssuerIdentity } from '../dev-issuer/dev-issuer.js';
import type { DevResource } from '../dev-issuer/dev-resource.js';
import { NO_SECRETS } from '../input-files.js';
import { atPlace, StartupError } from '../startup-error.js';
import {
  authenticationsOf,
  type GatewayConfig,
  type McpAuthenticationConfig,
  type RouteConfig,
  routesOf,
} from './gateway-config.js';
import { policyOptions } from './login-rules.js';

/** Members of a policy that describe one issuer. They move into an entry of `issuers`. */
const OF_ONE_ISSUER: readonly string[] = ISSUER_OPTIONS;

/** The resources of a configuration, and the scopes that the development issuer grants for them. */
export function resourcesOf(config: GatewayConfig): readonly DevResource[] {
  return routesOf(config).flatMap((route) => {
    const { mcpAuthentication: authentication } = route;
    if (authentication === undefined) return [];
    const { resource, members } = metadataOf(authentication);
    const { requiredScopes, challengeScopes } = authentication.policy;
    const scopes = [members.scopesSupported, requiredScopes, challengeScopes].flatMap(stringsIn);
    return { resource, scopes: [...new Set(scopes)], ruleScopes: ruleScopesOf(route) };
  });
}

/** The scopes that the rules of a route need. Their middlewares check them later. */
function ruleScopesOf({ mcpScopes, mcpAuthorization = [] }: RouteConfig): readonly string[] {
  const byMethod = Object.values(mcpScopes?.rules ?? {});
  const byName = byMethod.flatMap((rule) => (isRecord(rule) ? Object.values(rule) : [rule]));
  const rules = mcpAuthorization.flatMap(({ options }) => options.rules);
  const ofRules = rules.map((rule) => (isRecord(rule) ? rule.scopes : undefined));
  return [...new Set([...byName, ...ofRules].flatMap(stringsIn))];
}

function metadataOf({ policy, at }: McpAuthenticationConfig) {
  const { resource, url, members } = atPlace(at, () =>
    resolveResource(createChecks('mcpAuth()'), policy.resourceMetadata ?? {}, 'resourceMetadata'),
  );
  if (resource === undefined) {
    throw new StartupError(`${at}.resourceMetadata.resource is missing: --dev-issuer issues tokens for it`);
  }
  return { resource: resource.href, members: { ...members, url } as Readonly<Record<string, unknown>> };
}

/** Changes a configuration so that clients log in at the development issuer. Tokens of the file's own issuers stay valid. */
export function withDevIssuer(config: GatewayConfig, issuer: DevIssuerIdentity): GatewayConfig {
  const change = (route: RouteConfig): RouteConfig => {
    const { mcpAuthentication: own } = route;
    return own ? { ...route, mcpAuthentication: { ...own, policy: policyWith(own, issuer) } } : route;
  };
  return {
    ...config,
    binds: config.binds.map((bind) => ({
      ...bind,
      hasDevIssuer: true,
      listeners: bind.listeners.map((listener) => ({ ...listener, routes: listener.routes.map(change) })),
    })),
  };
}

function policyWith(
  authentication: McpAuthenticationConfig,
  { issuer, jwks }: DevIssuerIdentity,
): Record<string, unknown> {
  const { policy } = authentication;
  const shared = Object.fromEntries(Object.entries(policy).filter(([name]) => !OF_ONE_ISSUER.includes(name)));
  const { resource, members } = metadataOf(authentication);
  return {
    ...shared,
    issuers: [{ issuer, jwks, audiences: [resource] }, ...ownIssuers(authentication, issuer)],
    // Clients log in at the development issuer directly. The OAuth proxy would send them to the file's provider.
    oauthProxy: false,
    resourceMetadata: { ...members, resource, authorizationServers: [issuer] },
  };
}

/**
 * Checks that a file which is used without the development issuer names issuers of its own.
 *
 * @param otherwise What else the user can do, for the message.
 * @throws {StartupError}
 */
export function requireIssuers(config: GatewayConfig, otherwise: string): void {
  for (const { policy, at } of authenticationsOf(config)) {
    if (!hasIssuer(policy)) {
      throw new StartupError(`${at}.issuer is missing: write the "iss" of the tokens you accept, or ${otherwise}`);
    }
  }
}

function hasIssuer(policy: McpAuthenticationConfig['policy']): boolean {
  return policy.issuers !== undefined || Object.keys(policy).some((name) => OF_ONE_ISSUER.includes(name));
}

/** The file's own issuers, except the development issuer. Empty in a file that only works with `--dev-issuer`. */
function ownIssuers({ policy, at }: McpAuthenticationConfig, devIssuer: string): readonly Record<string, unknown>[] {
  if (!hasIssuer(policy)) return [];
  const own = Object.fromEntries(Object.entries(policy).filter(([name]) => OF_ONE_ISSUER.includes(name)));
  // Checks the policy as written: in the changed policy, messages would name other places.
  const resolved = atPlace(at, () => resolveAuth('mcpAuth()', policyOptions(policy, NO_SECRETS)));
  const given = (policy.issuers ?? [own]) as readonly Record<string, unknown>[];
  const issuers = given.filter(({ provider }) => !namesIdentityProvider(provider));
  return issuers
    .map((issuer, i) => withoutLogin(issuer, resolved.issuers[i] as TrustedIssuer))
    .filter(({ issuer }) => issuer !== devIssuer);
}

/** The file's client and switches are for logins at the file's own issuer, which do not happen here. Both decide on its audience. */
function withoutLogin(
  { clientId: _id, clientSecret: _secret, provider, ...issuer }: Record<string, unknown>,
  { audiences, audienceClaim }: TrustedIssuer,
): Record<string, unknown> {
  return {
    ...issuer,
    audiences,
    audienceClaim,
    ...(provider !== undefined && { provider: withoutSwitches(provider) }),
  };
}

/** `metadata` stays: the keys are looked up there. */
function withoutSwitches(provider: unknown): unknown {
  if (typeof provider === 'string') return provider;
  const kinds = Object.entries(provider as Record<string, ProviderSwitches>);
  return Object.fromEntries(kinds.map(([kind, { metadata }]) => [kind, metadata === undefined ? {} : { metadata }]));
}
