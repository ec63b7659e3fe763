import { ConfigError } from '../core/errors.js';
import type { Jwks } from '../policy/issuer-options.js';
import { type ResolvedAuth, resolveAuth } from '../policy/resolve-auth.js';

/** The tokens that a server accepts, according to its documents. */
export interface SeenPolicy {
  /** Each with its keys, if they could be read. */
  readonly servers: readonly { readonly issuer: string; readonly jwks: Jwks | undefined }[];
  readonly resource: string;
  /** From the challenge. */
  readonly scopes: readonly string[];
  /** The protected resource metadata (RFC 9728). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The doctor has no client certificate. */
const MTLS = { getCertificate: () => undefined };

/** A key set without a usable key: the signature cannot be checked, but the claims can. */
const NO_KEYS: Jwks = { keys: [{}] };

/**
 * Builds the policy of a server whose configuration file is not known: from its documents, and the defaults of `mcpAuth()`.
 *
 * @returns Undefined if the documents name no authorization server, or scopes that a policy cannot have.
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
        // Not as a URL: only the probe fetches keys, because it refuses addresses that a server must not choose.
        jwks: () => jwks,
      })),
      requiredScopes: scopes,
      senderConstraint: { dpop, mtls },
      // `senderConstraint.dpop` needs a resource to check proofs against. Tokens are checked against `audiences`.
      resourceMetadata: dpop && { resource },
      // The user has named this server, and its keys only serve to explain a token.
      dangerouslyAllowHttp: true,
    });
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
