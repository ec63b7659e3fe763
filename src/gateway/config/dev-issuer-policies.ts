import { stringsIn } from '../../http/json-object.js';
import { createChecks } from '../../options/checks.js';
import { ISSUER_OPTIONS } from '../../policy/resolve-issuer.js';
import { resolveResource } from '../../policy/resolve-resource.js';
import type { DevIssuer, DevResource } from '../dev-issuer/dev-issuer.js';
import { atPlace, StartupError } from '../startup-error.js';
import {
  authenticationsOf,
  type GatewayConfig,
  type McpAuthenticationConfig,
  type RouteConfig,
} from './config-file.js';

/** Members of a policy that belong to one issuer, and move into the list of several. */
const OF_ONE_ISSUER: readonly string[] = ISSUER_OPTIONS;

/** What the development issuer must know of a configuration. */
export function resourcesOf(config: GatewayConfig): readonly DevResource[] {
  return authenticationsOf(config).map((authentication) => {
    const { resource, members } = metadataOf(authentication);
    const { requiredScopes } = authentication.policy;
    return { resource, scopes: [...new Set([...stringsIn(members.scopesSupported), ...stringsIn(requiredScopes)])] };
  });
}

function metadataOf({ policy, at }: McpAuthenticationConfig) {
  const { resource, members } = atPlace(at, () =>
    resolveResource(createChecks('mcpAuth()'), policy.resourceMetadata ?? {}, 'resourceMetadata'),
  );
  if (resource === undefined) {
    throw new StartupError(`${at}.resourceMetadata.resource is missing: --dev-issuer makes tokens for it`);
  }
  return { resource: resource.href, members };
}

/** The same configuration, where clients log in at the development issuer; tokens of the file's own issuers stay good. */
export function withDevIssuer(config: GatewayConfig, issuer: DevIssuer): GatewayConfig {
  const change = (route: RouteConfig): RouteConfig => {
    const { mcpAuthentication: own } = route;
    return own ? { ...route, mcpAuthentication: { ...own, policy: policyWith(own, issuer) } } : route;
  };
  return { binds: config.binds.map((bind) => ({ ...bind, routes: bind.routes.map(change) })) };
}

function policyWith(authentication: McpAuthenticationConfig, { issuer, jwks }: DevIssuer): Record<string, unknown> {
  const { policy } = authentication;
  const own = Object.fromEntries(Object.entries(policy).filter(([name]) => OF_ONE_ISSUER.includes(name)));
  const shared = Object.fromEntries(Object.entries(policy).filter(([name]) => !OF_ONE_ISSUER.includes(name)));
  const { resource, members } = metadataOf(authentication);
  const others = Array.isArray(policy.issuers) ? policy.issuers : [own];
  return {
    ...shared,
    issuers: [{ issuer, jwks, audiences: [resource] }, ...others],
    // Clients log in at the development issuer itself; the facade of the file's provider would take its place.
    facade: false,
    resourceMetadata: { ...members, resource, authorizationServers: [issuer] },
  };
}
