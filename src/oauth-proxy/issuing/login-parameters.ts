import { createHash, randomBytes } from 'node:crypto';
import type { ResolvedIdentity } from '../../policy/resolve-identity.js';

/** Makes a PKCE verifier (RFC 7636, section 4.1). It stays on this server, sealed. */
export function createVerifier(): string {
  return randomBytes(32).toString('base64url');
}

/** The parameters of a login at an identity provider. What the client asks for is about our tokens, and not sent there. */
export function loginParameters(
  { provider, scopes }: ResolvedIdentity,
  verifier: string,
): Readonly<Record<string, string>> {
  const pkce = { code_challenge: sha256(verifier), code_challenge_method: 'S256' };
  return {
    ...provider.loginParameters,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(provider.supportsPkce ? pkce : {}),
    ...(provider.idToken === undefined ? {} : { nonce: nonceFor(verifier) }),
  };
}

/** The `nonce` of a login (OpenID Connect Core, section 3.1.2.1). It follows from the verifier, which it does not disclose. */
export function nonceFor(verifier: string): string {
  return sha256(`nonce ${verifier}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
