import { lowerAscii } from '../http/lower-ascii.js';
import { DPOP_ALGORITHMS } from '../oauth/challenge.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** Members that every document has, in agentgateway's order; `undefined` and empty lists are left out when emitted. */
type Member = readonly [name: string, value: unknown];

/**
 * The protected resource metadata document (RFC 9728, section 2).
 *
 * @param resource The resource to name: as configured, or the origin of the request.
 */
export function buildResourceMetadata(resolved: ResolvedAuth, resource: string): Readonly<Record<string, unknown>> {
  const { authorizationServers, bearerMethodsSupported, scopesSupported, ...others } = resolved.metadataMembers;
  const members: Member[] = [
    ['resource', resource],
    ['authorization_servers', authorizationServers ?? authorizationServersOf(resolved)],
    ['mcp_protocol_version', '2025-06-18'],
    ['resource_type', 'mcp-server'],
    ['bearer_methods_supported', bearerMethodsSupported],
    ['scopes_supported', scopesSupported],
    ...senderConstraintMembers(resolved),
    ...Object.entries(others).map(([name, value]): Member => [snakeCase(name), value]),
  ];
  // A further member may take the place of one of ours, such as `mcpProtocolVersion`.
  return Object.fromEntries(members.filter(([, value]) => isEmitted(value)));
}

/** RFC 9728, section 2, for RFC 9449 and RFC 8705. */
function senderConstraintMembers({ dpop, mtls }: ResolvedAuth): Member[] {
  return [
    ['dpop_signing_alg_values_supported', dpop === 'off' ? undefined : DPOP_ALGORITHMS],
    ['dpop_bound_access_tokens_required', dpop === 'require' ? true : undefined],
    ['tls_client_certificate_bound_access_tokens', mtls === undefined ? undefined : true],
  ];
}

/** The OAuth proxy stands for the issuers that have a provider; its issuer is the resource. */
function authorizationServersOf({ oauthProxy, issuers }: ResolvedAuth): string[] {
  if (oauthProxy === undefined) return issuers.map(({ issuer }) => issuer);
  const direct = issuers.filter(({ provider }) => provider === undefined);
  return [oauthProxy.resource.href, ...direct.map(({ issuer }) => issuer)];
}

/** RFC 9728, section 2: parameters with zero elements must be omitted. */
function isEmitted(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${lowerAscii(letter)}`);
}
