import { adviceFor } from '../core/advice.js';
import type { Logger } from '../core/logger.js';
import { canParseUrl } from '../http/can-parse-url.js';
import type { McpAuthOptions } from './auth-options.js';
import type { TrustedIssuer } from './resolve-issuer.js';
import type { ResolvedOAuthProxy } from './resolve-oauth-proxy.js';

interface Announced {
  readonly oauthProxy: ResolvedOAuthProxy | undefined;
  readonly issuers: readonly TrustedIssuer[];
}

interface LoginPolicy extends Announced {
  readonly metadataMembers: Readonly<Record<string, unknown>>;
  readonly metadataUrl: string | undefined;
  readonly verifiers: readonly unknown[];
  readonly logger: Logger;
}

/**
 * Returns the authorization servers of a policy without `resourceMetadata.authorizationServers`. The OAuth proxy, whose issuer is the resource,
 * replaces the issuers that have a provider.
 */
export function authorizationServersOf({ oauthProxy, issuers }: Announced): string[] {
  // An issuer with many tenants has no address of its own: `authorizationServers` can name one.
  const named = issuers.filter(({ tenants }) => tenants === undefined);
  if (oauthProxy === undefined) return named.map(({ issuer }) => issuer);
  const direct = named.filter(({ provider }) => provider === undefined);
  return [oauthProxy.resource.href, ...direct.map(({ issuer }) => issuer)];
}

/** Warns if the metadata names no authorization server that clients can reach, although there may be one. */
export function warnAboutUnknownLogin(who: string, options: Readonly<McpAuthOptions>, policy: LoginPolicy): void {
  const { issuers, verifiers, metadataMembers, metadataUrl, logger } = policy;
  const { unknownLogin: fix } = adviceFor(options, who);
  // A URL of its own: something else serves the metadata.
  if (fix === undefined || metadataMembers.authorizationServers !== undefined || metadataUrl !== undefined) return;
  if (authorizationServersOf(policy).some(isAddress)) return;
  const isByHand = issuers.some(({ issuer, jwksSource }) => jwksSource.kind === 'file' && !isAddress(issuer));
  // Tokens whose keys are in a file may be made by hand, as in agentgateway's tutorial. There is no login for API keys.
  if (isByHand || (issuers.length === 0 && verifiers.length === 0)) return;
  logger.warn(
    `${who}: clients cannot find out where to log in, because the metadata names no authorization server by URL: ${fix}`,
  );
}

function isAddress(server: string): boolean {
  return /^https?:\/\//i.test(server) && canParseUrl(server);
}
