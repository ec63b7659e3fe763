import type { ServerMetadata } from '../metadata/server-metadata.js';
import type { FacadeContext } from './context.js';

/** What is true of us because it is true of the server behind us. All else is ours, or left out since we cannot honour it. */
const PASSED_ON = [
  'jwks_uri',
  'scopes_supported',
  'claims_supported',
  'subject_types_supported',
  'id_token_signing_alg_values_supported',
  'service_documentation',
  'op_policy_uri',
  'op_tos_uri',
  'ui_locales_supported',
];

/** Our metadata (RFC 8414, section 2), in answer to each request, since the server behind us may change its own. */
export function buildServerMetadata(
  { held, endpoints }: FacadeContext,
  upstream: ServerMetadata,
): Readonly<Record<string, unknown>> {
  const passedOn = PASSED_ON.filter((name) => Object.hasOwn(upstream.document, name));
  // A shared client is public to us: its secret, where it has one, is ours to send.
  const methods = held.client === undefined ? ['none', 'client_secret_basic', 'client_secret_post'] : ['none'];
  return {
    issuer: held.resource.href,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
    ...(canRegister(held, upstream) ? { registration_endpoint: endpoints.registration } : {}),
    ...(canRevoke(held, upstream)
      ? { revocation_endpoint: endpoints.revocation, revocation_endpoint_auth_methods_supported: methods }
      : {}),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: methods,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ...Object.fromEntries(passedOn.map((name) => [name, upstream.document[name]])),
  };
}

function canRegister({ client, provider, issuer }: FacadeContext['held'], upstream: ServerMetadata): boolean {
  if (client !== undefined) return true;
  return (upstream.registrationEndpoint ?? provider.registration?.url(issuer)) !== undefined;
}

/** The configured secret is sent with codes and refresh tokens only, so its client's tokens cannot be revoked through us. */
export function canRevoke({ client }: FacadeContext['held'], upstream: ServerMetadata): boolean {
  return upstream.revocationEndpoint !== undefined && client?.secret === undefined;
}
