import { lowerAscii } from '../http/lower-ascii.js';
import { DPOP_ALGORITHMS } from '../oauth/challenge.js';
import { authorizationServersOf } from '../policy/announced-servers.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** A member of the document. `undefined`, `null` and empty lists are not emitted. */
type DocumentMember = readonly [name: string, value: unknown];

/**
 * Builds the protected resource metadata document (RFC 9728, section 2). Its members have agentgateway's order.
 *
 * @param resource The resource to name: as configured, or the origin of the request.
 */
export function buildResourceMetadata(resolved: ResolvedAuth, resource: string): Readonly<Record<string, unknown>> {
  const { authorizationServers, bearerMethodsSupported, scopesSupported, ...others } = resolved.metadataMembers;
  const members: DocumentMember[] = [
    ['resource', resource],
    ['authorization_servers', authorizationServers ?? authorizationServersOf(resolved)],
    ['mcp_protocol_version', '2025-06-18'],
    ['resource_type', 'mcp-server'],
    ['bearer_methods_supported', bearerMethodsSupported],
    ['scopes_supported', scopesSupported],
    ...senderConstraintMembers(resolved),
    ...Object.entries(others).map(([name, value]): DocumentMember => [snakeCase(name), value]),
  ];
  // A member that the user gave replaces the generated one of the same name, such as `mcpProtocolVersion`.
  return Object.fromEntries(members.filter(([, value]) => isEmitted(value)));
}

/** The members of RFC 9728, section 2, for RFC 9449 and RFC 8705. */
function senderConstraintMembers({ dpop, mtls }: ResolvedAuth): DocumentMember[] {
  return [
    ['dpop_signing_alg_values_supported', dpop === 'off' ? undefined : DPOP_ALGORITHMS],
    ['dpop_bound_access_tokens_required', dpop === 'require' ? true : undefined],
    ['tls_client_certificate_bound_access_tokens', mtls === undefined ? undefined : true],
  ];
}

/** RFC 9728, section 2: parameters with zero elements must be omitted. */
function isEmitted(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${lowerAscii(letter)}`);
}
