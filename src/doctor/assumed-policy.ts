import { ConfigError } from '../core/errors.js';
import type { Jwks } from '../policy/auth-options.js';
import { type ResolvedAuth, resolveAuth } from '../policy/resolve-auth.js';

/** The statements of a server about the tokens that it accepts. */
export interface SeenPolicy {
  /** Each with its keys, where those could be read. */
  readonly servers: readonly { readonly issuer: string; readonly jwks: Jwks | undefined }[];
  readonly resource: string;
  /** From the challenge. */
  readonly scopes: readonly string[];
  /** The protected resource metadata (RFC 9728). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The doctor shows no certificate. */
const MTLS = { getCertificate: () => undefined };

/** A key set without a usable key: the signature cannot be checked, but the claims can. */
const NO_KEYS: Jwks = { keys: [{}] };

/**
 * The policy of a server whose file is not at hand: what its documents say, and the defaults of `mcpAuth()` for the rest.
 * Undefined where the documents name no authorization server, or scopes that no policy can have.
 */
export function assumePolicy({ servers, resource, scopes, metadata }: SeenPolicy): ResolvedAuth | undefined {
  const dpop = metadata.dpop_bound_access_tokens_required === true ? { required: true } : undefined;
  const mtls = metadata.tls_client_certificate_bound_access_tokens === true ? MTLS : undefined;
  const issuers = new Map(servers.map((server) => [server.issuer, server]));
  try {
    return resolveAuth('doctor', {
      issuers: [...issuers.values()].map(({ issuer, jwks = NO_KEYS }) => ({
        issuer,
        audiences: [resource],
        // Not as a URL: keys are fetched by the probe alone, which goes to no address that a server must not choose.
        jwks: () => jwks,
      })),
      requiredScopes: scopes,
      senderConstraint: { dpop, mtls },
      // Proofs are checked against it; tokens need only name it.
      resourceMetadata: dpop && { resource },
      // The user has named this server, and its key set is only read to explain a token.
      dangerouslyAllowHttp: true,
    });
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
